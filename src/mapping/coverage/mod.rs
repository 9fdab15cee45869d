//! Coverage: what of an operation's messages has something behind it.
//!
//! Of a request, what rules read; of an answer, what rules write, the echo of the Buyer's message repeats and custody
//! provides. That a place is touched says nothing of whether a message has a value there: the contract check and
//! findings at run time do. A product configuration is one attribute of its message; its own attributes are counted apart, for
//! each product that rules name. So are the attributes of what legacy systems reply, where an interface file has them.

pub(super) mod built;
mod product;
mod reply;
mod touched;

use super::operation::{Answer, OperationProgram, Settled};
use super::path::{Part, Step};
use super::program::Program;
use super::schema::{Kind, Lookup, Member, OperationFacts, Schema, TypeId, Types};
use product::Configuration;
use std::collections::BTreeSet;
use touched::{Touch, Touched, Touches, Values};

pub use product::Product;
pub use reply::{Reply, replies};

/// Members are followed so deep; deeper ones count with what they are in.
const DEPTH_MAX: usize = 16;

/// How surely something is behind an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// Nothing is.
    Never,
    /// Under a condition, or for some elements.
    Conditionally,
    /// In every message.
    Always,
}

impl Cover {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Conditionally => "conditionally",
            Self::Always => "always",
        }
    }
}

/// What can be behind an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Rules of the mapping.
    Rule,
    /// The answer repeats it from the Buyer's message.
    Echo,
    /// Custody provides it: ids, `href`, states, history, dates. Of a parameter, the exchange settles it: a list's
    /// window and filters, for whom a side speaks.
    Duty,
}

impl By {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Echo => "echo",
            Self::Duty => "duty",
        }
    }

    fn those(rule: bool, echo: bool, duty: bool) -> Vec<Self> {
        let all = [(rule, Self::Rule), (echo, Self::Echo), (duty, Self::Duty)];
        all.into_iter().filter_map(|(is, by)| is.then_some(by)).collect()
    }
}

/// One attribute of a message. An object that nothing looks into is one, whatever it has inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Member names joined by dots, arrays without brackets: `quoteItem.action`; `query:state` for a parameter.
    pub place: String,
    /// Whether the contract requires it, within the object that it is in.
    pub required: bool,
    /// How surely something is behind it. An echo counts in an answer only: of a request it means that the attribute
    /// is kept and repeated, but told to no legacy system.
    pub cover: Cover,
    /// What is behind it.
    pub by: Vec<By>,
    /// Values of its enumeration that no rule takes or yields.
    pub uncoded: Vec<String>,
}

/// The messages of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Query parameters and attributes of the body.
    pub request: Vec<Attribute>,
    /// Attributes of the answer, or of its elements.
    pub answer: Vec<Attribute>,
    /// Attributes of product configurations, for each product that rules name.
    pub products: Vec<Product>,
    /// Attributes of the replies of legacy systems, as [`replies`] tells them; none where no interface file does.
    pub replies: Vec<Reply>,
}

/// What is behind the attributes of an operation; of one without a mapping all attributes that there are. `echo_off` are
/// places, by member names joined by dots, that are not repeated from the Buyer's message.
pub fn coverage(
    function: &str,
    operation: Option<&OperationProgram>,
    echo_off: &[Box<str>],
    facts: &OperationFacts,
    schema: &dyn Schema,
) -> Coverage {
    let root = |name: &Option<String>| schema.root(function, name.as_ref()?);
    let echo = root(&facts.echo);
    let all = operation.is_none();
    let mut coverage = Coverage { request: parameters(operation, facts), ..Coverage::default() };
    if let Some(ty) = root(&facts.request) {
        let mut touches = Touches::default();
        for call in operation.iter().flat_map(|operation| &operation.calls) {
            touched::of_call(call, &mut touches);
        }
        let repeated = echo.filter(|_| facts.echo == facts.request);
        let mut walk = Walk { echo_off, all, ..Walk::new(schema, &touches.all, false) };
        walk.members(ty, repeated, "$", &mut Vec::new());
        coverage.request.append(&mut walk.rows);
        product::add(&walk.configurations, &touches, schema, false, &mut coverage.products);
    }
    if let Some(ty) = root(&facts.answer) {
        let (program, base) = match operation.map(|operation| &operation.answer) {
            None | Some(Answer::Empty) => (None, "$".to_owned()),
            Some(Answer::Reply(program) | Answer::Each { program, .. }) => (Some(program), "$".to_owned()),
            Some(Answer::Calls { into, program }) => (Some(program), touched::names("$", into)),
        };
        let touches = program.map(|program| touched::written(program, &base)).unwrap_or_default();
        let mut walk =
            Walk { custody: &facts.custody, echo_off, all, ..Walk::new(schema, &touches.all, true) };
        walk.members(ty, echo, "$", &mut Vec::new());
        coverage.answer = std::mem::take(&mut walk.rows);
        product::add(&walk.configurations, &touches, schema, true, &mut coverage.products);
    }
    coverage
}

/// The places that a program writes whatever it reads, unless a value is absent: member names from the root,
/// `$.lines.lineNo`. No condition stands before them, and every branch has them.
pub(super) fn written_always(program: &Program) -> BTreeSet<String> {
    let written = touched::written(program, "$").all.into_iter();
    written.filter_map(|(place, touch)| touch.always.then_some(place)).collect()
}

/// The query parameters: sent by a rule or an address, or settled here.
fn parameters(operation: Option<&OperationProgram>, facts: &OperationFacts) -> Vec<Attribute> {
    let mut sent: BTreeSet<&str> = BTreeSet::new();
    for call in operation.iter().flat_map(|operation| &operation.calls) {
        sent.extend(call.request.iter().flat_map(|program| program.query_parameters()));
        let query = call.target.query.iter().flat_map(|(_, template)| template.iter());
        sent.extend(call.target.path.iter().chain(query).filter_map(|part| match part {
            super::operation::TemplatePart::Request(path) if path.part == Part::Query => {
                path.steps.first().and_then(|step| match step {
                    Step::Member(name) => Some(&**name),
                    _ => None,
                })
            }
            _ => None,
        }));
    }
    let row = |name: &String| {
        let mut filters = operation.iter().flat_map(|operation| &operation.filters);
        let settled = filters.find(|(own, _)| **own == **name).map(|(_, settled)| *settled);
        let window = facts.list && matches!(name.as_str(), "offset" | "limit");
        let represented = matches!(name.as_str(), "buyerId" | "sellerId");
        let by_rule = sent.contains(name.as_str());
        let by_duty = window || represented || settled == Some(Settled::Here);
        Attribute {
            place: format!("query:{name}"),
            required: false,
            cover: if by_rule || by_duty { Cover::Always } else { Cover::Never },
            by: By::those(by_rule, false, by_duty),
            uncoded: Vec::new(),
        }
    };
    facts.query.iter().map(row).collect()
}

struct Walk<'w> {
    schema: &'w dyn Types,
    touched: &'w Touched,
    custody: &'w [String],
    echo_off: &'w [Box<str>],
    /// Whether an echo counts, and objects are looked into for it.
    answer: bool,
    /// Whether every object is looked into.
    all: bool,
    rows: Vec<Attribute>,
    configurations: Vec<Configuration>,
}

impl<'w> Walk<'w> {
    fn new(schema: &'w dyn Types, touched: &'w Touched, answer: bool) -> Self {
        let (rows, configurations) = (Vec::new(), Vec::new());
        Self { schema, touched, custody: &[], echo_off: &[], answer, all: false, rows, configurations }
    }

    /// The rows of an object's members.
    fn members(&mut self, ty: TypeId, echo: Option<TypeId>, place: &str, open: &mut Vec<TypeId>) {
        open.push(ty);
        for (name, member) in self.all_members(ty) {
            let inner = format!("{place}.{name}");
            let off = self.echo_off.iter().any(|off| Some(&**off) == inner.strip_prefix("$."));
            let echoed = echo.filter(|_| !off).and_then(|echo| match self.schema.member(echo, &name, None) {
                Lookup::Found(member) => Some(member.ty),
                Lookup::Missing | Lookup::Open => None,
            });
            self.member(&name, member, echoed, &inner, open);
        }
        open.pop();
    }

    /// Members of the type and of all that derive from it; what only those have is not required.
    fn all_members(&self, ty: TypeId) -> Vec<(String, Member)> {
        let mut all = self.schema.members(ty, None);
        for variant in self.schema.variants(ty) {
            for (name, member) in self.schema.members(ty, Some(&variant)) {
                if !all.iter().any(|(own, _)| *own == name) {
                    all.push((name, Member { required: false, ..member }));
                }
            }
        }
        all
    }

    fn member(
        &mut self,
        name: &str,
        member: Member,
        echo: Option<TypeId>,
        place: &str,
        open: &mut Vec<TypeId>,
    ) {
        let inside = self.object(member.ty);
        let below = self.below(place).next().is_some();
        let looked_into = self.all || below || (self.answer && echo.is_some());
        if let Some(ty) = inside.filter(|ty| looked_into && !open.contains(ty) && open.len() < DEPTH_MAX)
            && self.whole(place).is_none()
            && !self.all_members(ty).is_empty()
        {
            return self.members(ty, echo.and_then(|echo| self.object(echo)), place, open);
        }
        if self.schema.is_configuration(member.ty) {
            self.configurations.push(Configuration { place: place.to_owned(), is_echoed: echo.is_some() });
        }
        let by_duty = self.custody.iter().any(|own| own == name);
        let (rule, by_echo) = (self.rule(place), echo.is_some());
        let provided = by_duty || (by_echo && self.answer);
        self.rows.push(Attribute {
            place: place.trim_start_matches("$.").to_owned(),
            required: member.required,
            cover: if provided { Cover::Always } else { rule },
            by: By::those(rule > Cover::Never, by_echo, by_duty),
            uncoded: self.uncoded(member.ty, place),
        });
    }

    /// The type of an object, or of the objects in an array; none of what counts as one attribute.
    fn object(&self, mut ty: TypeId) -> Option<TypeId> {
        while self.schema.kind(ty) == Kind::Array {
            ty = self.schema.element(ty)?;
        }
        (self.schema.kind(ty) == Kind::Object && !self.schema.is_configuration(ty)).then_some(ty)
    }

    fn below(&self, place: &str) -> impl Iterator<Item = &Touch> {
        let prefix = format!("{place}.");
        let from = self.touched.range(prefix.clone()..);
        from.take_while(move |(own, _)| own.starts_with(&prefix)).map(|(_, touch)| touch)
    }

    /// What carries the place as a whole, at it or around it.
    fn whole(&self, place: &str) -> Option<&Touch> {
        let mut touches = self.touched.iter().filter(|(_, touch)| touch.whole);
        let around =
            |own: &str| place.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        touches.find(|(own, _)| around(own)).map(|(_, touch)| touch)
    }

    fn rule(&self, place: &str) -> Cover {
        let touches = self.touched.get(place).into_iter().chain(self.below(place)).chain(self.whole(place));
        let covers = touches.map(|touch| if touch.always { Cover::Always } else { Cover::Conditionally });
        covers.max().unwrap_or(Cover::Never)
    }

    fn uncoded(&self, mut ty: TypeId, place: &str) -> Vec<String> {
        while let (Kind::Array, Some(element)) = (self.schema.kind(ty), self.schema.element(ty)) {
            ty = element;
        }
        match self.touched.get(place).map(|touch| &touch.values) {
            Some(Values::These(these)) => {
                self.schema.values(ty).into_iter().filter(|value| !these.contains(value)).collect()
            }
            _ => Vec::new(),
        }
    }
}
