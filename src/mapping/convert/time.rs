//! Converters of dates and times between a legacy format and RFC 3339.
//!
//! A format is tried out when it is read: what it writes must read back, so that a format without a year,
//! or with `%I` and no `%p`, is an error of the mapping and not a wrong date. Zones come from the bundled
//! database, so that the same mapping means the same everywhere.

use std::sync::LazyLock;

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{self, Weekday},
    fmt::strtime,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{ConvertError, layout::Layout, number_of, text_of};
use crate::{
    mapping::value::{Value, quoted},
    text::suggest,
};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone by its IANA name; the error is the nearest known name.
pub(super) fn zone(name: &str) -> Result<TimeZone, Option<String>> {
    ZONES.get(name).map_err(|_| {
        let names: Vec<String> = ZONES.available().map(|name| name.as_str().to_owned()).collect();
        suggest(name, names.iter().map(String::as_str)).map(ToOwned::to_owned)
    })
}

/// Dates that a format has to bring back: months and days that cannot be mistaken, two centuries.
const PROBES: [(i16, i8, i8); 3] = [(2026, 10, 28), (1999, 3, 4), (2024, 2, 29)];
const SECONDS_PER_DAY: i64 = 86_400;

/// An end of the day that a date stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// The first instant of the day.
    Start,
    /// One second before the next day begins.
    End,
}

/// What a date format tells: a day, or only the week or month that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    fn first(self, date: civil::Date) -> Result<civil::Date, jiff::Error> {
        match self {
            Self::Day => Ok(date),
            Self::Week => date.checked_sub(i32::from(date.weekday().to_monday_zero_offset()).days()),
            Self::Month => Ok(date.first_of_month()),
        }
    }

    fn last(self, first: civil::Date) -> Result<civil::Date, jiff::Error> {
        match self {
            Self::Day => Ok(first),
            Self::Week => first.checked_add(6.days()),
            Self::Month => Ok(first.last_of_month()),
        }
    }
}

/// The arguments of `date`.
#[derive(Debug, Clone)]
pub(super) struct Date {
    format: String,
    period: Period,
    /// The format, where it is of fixed width.
    layout: Option<Layout>,
    edge: Option<Edge>,
    zone: TimeZone,
}

impl Date {
    /// The format, as `strftime` has it.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Whether it is an instant on the Sonata side.
    pub fn is_instant(&self) -> bool {
        self.edge.is_some()
    }

    /// What a two-way pair gives up: the time of the day, or which day of its week or month it is, and the time.
    pub fn loses(&self) -> Option<&'static str> {
        match (self.period, self.edge) {
            (Period::Day, None) => None,
            (Period::Day, Some(_)) => Some("loss-of-time"),
            (Period::Week | Period::Month, _) => Some("loss-of-day"),
        }
    }

    /// Takes a format that tells a whole date, week or month; the error says why it does not.
    pub fn new(format: &str, edge: Option<Edge>, zone: Option<TimeZone>) -> Result<Self, String> {
        let (format, layout) = (format.to_owned(), Layout::of(format));
        let zone = zone.unwrap_or(TimeZone::UTC);
        let mut date = Self { format, period: Period::Day, layout, edge, zone };
        let told = date.probed();
        for period in [Period::Week, Period::Month] {
            if told.is_ok() {
                break;
            }
            date.period = period;
            if date.probed().is_ok() {
                return Ok(date);
            }
        }
        told.map(|()| date)
    }

    /// Whether dates that it writes come back, as far as the period says.
    fn probed(&self) -> Result<(), String> {
        for (year, month, day) in PROBES {
            let probe = civil::Date::new(year, month, day).map_err(|error| error.to_string())?;
            let text = strtime::format(&self.format, probe).map_err(|error| error.to_string())?;
            if self.parsed(&text) != self.period.first(probe).ok() {
                return Err(format!(
                    "the format does not tell a whole date, week or month: {probe} is written {}",
                    quoted(&text)
                ));
            }
        }
        Ok(())
    }

    /// The date that a text tells, or the first of its week or month.
    fn parsed(&self, text: &str) -> Option<civil::Date> {
        let mut broken = strtime::parse(&self.format, text).ok()?;
        match self.period {
            Period::Day => {}
            Period::Week => broken.set_weekday(Some(Weekday::Monday)),
            Period::Month => broken.set_day(Some(1)).ok()?,
        }
        broken.to_date().ok()
    }

    fn read(&self, text: &str) -> Result<civil::Date, ConvertError> {
        if let Some(date) = self.layout.as_ref().and_then(|layout| layout.read(text)) {
            return Ok(date);
        }
        let date = self.parsed(text);
        // RFC 3339 has years of four digits and no sign.
        date.filter(|date| date.year() >= 0).ok_or_else(|| {
            ConvertError::domain(format!("{} is not a date as {}", quoted(text), quoted(&self.format)))
        })
    }

    pub fn to_sonata(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        let text = text_of(value)?;
        let date = self.read(&text)?;
        let Some(edge) = self.edge else {
            return Ok(Value::text(date.to_string()));
        };
        let instant = match edge {
            Edge::Start => date.to_zoned(self.zone.clone()).map(|start| start.timestamp()),
            Edge::End => self
                .period
                .last(date)
                .and_then(civil::Date::tomorrow)
                .and_then(|next| next.to_zoned(self.zone.clone()))
                .and_then(|next| next.timestamp().checked_sub(SignedDuration::from_secs(1))),
        };
        instant
            .map(|instant| Value::text(instant.to_string()))
            .map_err(|_| ConvertError::domain(format!("{} is out of the range of dates", quoted(&text))))
    }

    pub fn to_legacy(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        let text = text_of(value)?;
        let date = if self.edge.is_some() {
            instant(&text)?.to_zoned(self.zone.clone()).date()
        } else {
            plain_date(&text)?
        };
        if let Some(written) = self.layout.as_ref().and_then(|layout| layout.write(date)) {
            return Ok(Value::text(written));
        }
        let written = strtime::format(&self.format, date)
            .map_err(|_| ConvertError::domain(format!("{} cannot be written as a date", quoted(&text))))?;
        // A year of two digits tells only a hundred of them.
        if self.read(&written).ok() != self.period.first(date).ok() {
            return Err(ConvertError::domain(format!(
                "{} cannot be told in the other format",
                quoted(&text)
            )));
        }
        Ok(Value::text(written))
    }
}

/// Only `2026-10-28`: a date-time here means that the rule lacks an edge of the day.
fn plain_date(text: &str) -> Result<civil::Date, ConvertError> {
    strtime::parse("%Y-%m-%d", text)
        .and_then(|broken| broken.to_date())
        .map_err(|_| ConvertError::domain(format!("{} is not a date", quoted(text))))
}

fn instant(text: &str) -> Result<Timestamp, ConvertError> {
    text.parse()
        .map_err(|_| ConvertError::domain(format!("{} is not a date and time with offset", quoted(text))))
}

/// Whole seconds or milliseconds since the beginning of 1970, as an instant.
pub(super) fn epoch_to_sonata(value: &Value<'_>, milliseconds: bool) -> Result<Value<'static>, ConvertError> {
    let count = number_of(value)?;
    let whole = count.to_i128().filter(|_| count.is_integer()).and_then(|whole| i64::try_from(whole).ok());
    let instant = whole.and_then(|whole| {
        if milliseconds { Timestamp::from_millisecond(whole) } else { Timestamp::from_second(whole) }.ok()
    });
    // RFC 3339 has years of four digits and no sign.
    let instant = instant.filter(|instant| TimeZone::UTC.to_datetime(*instant).year() >= 0);
    instant.map(|instant| Value::text(instant.to_string())).ok_or_else(|| {
        let unit = if milliseconds { "milliseconds" } else { "seconds" };
        ConvertError::domain(format!("{} is no number of {unit} since 1970", value.excerpt()))
    })
}

/// An instant as whole seconds or milliseconds since the beginning of 1970.
pub(super) fn epoch_to_legacy(value: &Value<'_>, milliseconds: bool) -> Result<Value<'static>, ConvertError> {
    let instant = instant(&text_of(value)?)?;
    let count = if milliseconds { instant.as_millisecond() } else { instant.as_second() };
    Ok(Value::integer(count))
}

/// What is done with a local time that a clock change skips or shows twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Refuse,
    Earlier,
    Later,
    Compatible,
}

impl Policy {
    pub fn from_word(word: Option<&str>) -> Self {
        match word {
            Some("earlier") => Self::Earlier,
            Some("later") => Self::Later,
            Some("compatible") => Self::Compatible,
            _ => Self::Refuse,
        }
    }
}

/// The arguments of `datetime` and `local-datetime`.
#[derive(Debug, Clone)]
pub(super) struct DateTime {
    format: String,
    zone: TimeZone,
    policy: Policy,
    /// Whether the format tells whole seconds; otherwise minutes.
    seconds: bool,
    /// Whether two instants have one local time, of which the policy picks one.
    repeats: bool,
}

impl DateTime {
    /// The format, as `strftime` has it.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// What a two-way pair gives up: what is below a minute, which of the two passes of a repeated hour, or both.
    pub fn loses(&self) -> Option<&'static str> {
        match (self.seconds, self.repeats) {
            (true, false) => None,
            (false, false) => Some("loss-of-seconds"),
            (true, true) => Some("loss-of-repeated-hour"),
            (false, true) => Some("loss-of-time"),
        }
    }

    /// Takes a format that tells an instant to the minute; the error says why it does not.
    pub fn new(format: &str, zone: Option<TimeZone>, policy: Policy) -> Result<Self, String> {
        let probe: Timestamp =
            "2026-10-28T14:35:46Z".parse().map_err(|error: jiff::Error| error.to_string())?;
        let offset_told = {
            let zoned = probe.to_zoned(TimeZone::UTC);
            let text = strtime::format(format, &zoned).map_err(|error| error.to_string())?;
            strtime::parse(format, &text).map_err(|error| error.to_string())?.to_timestamp().is_ok()
        };
        if zone.is_none() && !offset_told {
            return Err("the format has no offset, so a zone is needed".to_owned());
        }
        let repeats = policy != Policy::Refuse && !offset_told;
        let zone = zone.unwrap_or(TimeZone::UTC);
        let mut time = Self { format: format.to_owned(), zone, policy, seconds: true, repeats };
        for (place, (year, month, day)) in PROBES.into_iter().enumerate() {
            let hours = if place == 0 { 14 } else { 9 };
            let probe = civil::date(year, month, day)
                .at(hours, 35, 46, 0)
                .to_zoned(time.zone.clone())
                .map_err(|error| error.to_string())?;
            let text = strtime::format(format, &probe).map_err(|error| error.to_string())?;
            let back = time.read(&text).map_err(|error| error.message)?;
            let lost = probe.timestamp().duration_since(back).as_secs();
            if !(0..60).contains(&lost) {
                return Err(format!(
                    "the format does not tell a whole date and time: {} is written {}",
                    probe.datetime(),
                    quoted(&text)
                ));
            }
            time.seconds &= lost == 0;
        }
        Ok(time)
    }

    fn read(&self, text: &str) -> Result<Timestamp, ConvertError> {
        let refused = || {
            ConvertError::domain(format!(
                "{} is not a date and time as {}",
                quoted(text),
                quoted(&self.format)
            ))
        };
        let broken = strtime::parse(&self.format, text).map_err(|_| refused())?;
        if broken.year().is_some_and(|year| year < 0) {
            return Err(refused());
        }
        if let Ok(instant) = broken.to_timestamp() {
            return Ok(instant);
        }
        let local = broken.to_datetime().map_err(|_| refused())?;
        let choices = self.zone.to_ambiguous_timestamp(local);
        match self.policy {
            Policy::Refuse if choices.is_ambiguous() => Err(ConvertError::ambiguous(format!(
                "the local time {} exists twice or not at all",
                quoted(text)
            ))),
            Policy::Refuse | Policy::Compatible => choices.compatible().map_err(|_| refused()),
            Policy::Earlier => choices.earlier().map_err(|_| refused()),
            Policy::Later => choices.later().map_err(|_| refused()),
        }
    }

    pub fn to_sonata(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        self.read(&text_of(value)?).map(|instant| Value::text(instant.to_string()))
    }

    pub fn to_legacy(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        let text = text_of(value)?;
        let instant = instant(&text)?;
        let refused =
            || ConvertError::domain(format!("{} cannot be told in the other format", quoted(&text)));
        let written =
            strtime::format(&self.format, &instant.to_zoned(self.zone.clone())).map_err(|_| refused())?;
        // Under a policy one of the two instants of a repeated hour reads back as the other; a day apart
        // would be a year of two digits.
        let lost = instant.duration_since(self.read(&written)?).as_secs();
        let told = match self.policy {
            Policy::Refuse => (0..60).contains(&lost),
            _ => lost.abs() < SECONDS_PER_DAY,
        };
        if told { Ok(Value::text(written)) } else { Err(refused()) }
    }
}
