//! When which instance is killed: drawn from a seed, so that a run can be had again.

/// What was just happening when the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The legacy system got a call that changes something, and has not done it yet.
    Asked,
    /// It has done it, and its answer is on the way.
    Acted,
    /// It was asked how something stands.
    Polled,
    /// It tells something by itself.
    Telling,
    /// A Buyer got an answer.
    Answered,
    /// A listener got an event that it has not acknowledged yet.
    Heard,
    /// A reload was asked for.
    Reloaded,
    /// The process began.
    Began,
}

impl Moment {
    /// All of them; those around a change more than once.
    pub const DRAWN: [Self; 11] = [
        Self::Asked,
        Self::Asked,
        Self::Acted,
        Self::Acted,
        Self::Polled,
        Self::Telling,
        Self::Answered,
        Self::Answered,
        Self::Heard,
        Self::Reloaded,
        Self::Began,
    ];
}

/// One kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Which instance.
    pub instance: usize,
    /// At which moment …
    pub moment: Moment,
    /// … the how manieth since all were up, from 1.
    pub times: u32,
    /// How long after it, in microseconds.
    pub delay_us: u64,
    /// How long the instance stays away, in milliseconds.
    pub away_ms: u64,
}

/// The kills of one run.
pub fn plan(seed: u64, kills: usize, instances: usize) -> Vec<Kill> {
    let mut dice = Dice::new(seed);
    let mut kill = || {
        let moment = Moment::DRAWN[dice.pick(Moment::DRAWN.len())];
        let (times_max, delay_us_max) = match moment {
            Moment::Began => (1, 600_000),
            Moment::Reloaded => (2, 60_000),
            _ => (12, 4_000),
        };
        Kill {
            instance: dice.pick(instances),
            moment,
            times: 1 + u32::try_from(dice.below(times_max)).unwrap(),
            // Often at once.
            delay_us: if dice.below(3) == 0 { 0 } else { dice.below(delay_us_max) },
            away_ms: if instances > 1 { dice.below(400) } else { 0 },
        }
    };
    (0..kills).map(|_| kill()).collect()
}

/// Numbers that follow from a seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A place below `end`, which is at least 1.
    pub fn pick(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }
}
