//! Messages most of which stays as it is: walked by what is in them, and copied in pieces.
//!
//! What comes out is what the rules make of the message, its members in the order in which they came. Where a message is not
//! what the contracts have it to be, the rules are run as ever, which tell what is wrong.

use super::run::{Run, Scope, Wrote, outermost};
use super::target::Target;
use super::{Applied, Failure, Input};
use crate::json::{Builder, Document, Fresh, Named, Node, Patch, Slot};
use crate::mapping::program::{
    Act, Action, Cases, Choice, CodesUse, MemberRule, Members, Move, OneOf, Otherwise, Rule, Splice,
};

/// What became of a value.
#[derive(Clone)]
enum Became<'m> {
    /// It stays, perhaps with changes inside, which are written.
    Same,
    Text(&'m str),
    Made(Slot),
    /// This document.
    Carried(Document),
    /// Nothing of it is written.
    Nothing,
}

/// The message is not as the contracts have it: the rules shall tell.
struct Odd;

/// A way through a message.
struct Walk<'m> {
    run: Run<'m>,
    patch: Patch<'m>,
}

impl<'m> Run<'m> {
    /// What becomes of the message; none where the rules have to be run.
    pub fn splice(self, splice: &'m Splice) -> Option<Result<Applied, Vec<Failure>>> {
        let scope = outermost(self.input);
        let mut walk = Walk { run: self, patch: Patch::new(scope.node) };
        let became = walk.spliced(splice, scope).ok()?;
        let Walk { mut run, patch } = walk;
        if run.is_exhausted() {
            return None;
        }
        if let Some(failures) = run.failed() {
            return Some(Err(failures));
        }
        run.applied.body = match became {
            Became::Same => Some(patch.finish().unwrap_or_else(|| whole(scope.node))),
            Became::Made(slot) => Some(std::mem::take(&mut run.builder).finish(slot)),
            Became::Carried(document) => Some(document),
            Became::Text(_) => return None,
            Became::Nothing => None,
        };
        Some(Ok(run.applied))
    }
}

/// A node as a document, which it may be already.
fn whole(node: Node<'_>) -> Document {
    if node.id() == node.document().root().id() { node.document().clone() } else { Document::of(node) }
}

/// What becomes of a value by itself, as a document; none where nothing does. `around` is the run of the message.
fn alone<'n>(
    around: &mut Run<'_>,
    input: &'n Input<'n>,
    splice: &'n Splice,
    scope: Scope<'n>,
) -> Result<Option<Document>, Odd> {
    let run = Run::reading(around.program, input).after(around);
    let mut walk = Walk { run, patch: Patch::new(scope.node) };
    let became = walk.spliced(splice, scope)?;
    let Walk { mut run, patch } = walk;
    around.count_on(&run);
    if run.is_exhausted() || run.failed().is_some() || !run.applied.findings.is_empty() {
        return Err(Odd);
    }
    Ok(match became {
        Became::Same => Some(patch.finish().unwrap_or_else(|| whole(scope.node))),
        Became::Made(slot) => Some(std::mem::take(&mut run.builder).finish(slot)),
        Became::Carried(document) => Some(document),
        Became::Text(text) => {
            let mut builder = Builder::new();
            let slot = builder.string(text);
            Some(builder.finish(slot))
        }
        Became::Nothing => None,
    })
}

/// What is said of a member.
#[inline]
fn rule_of<'m>(members: &'m Members, child: Node<'m>) -> Result<Option<&'m MemberRule>, Odd> {
    match members.names.of(child) {
        Named::Known(index) => Ok(members.all.get(index)),
        Named::Otherwise => Ok(None),
        Named::Unclear => Err(Odd),
    }
}

impl<'m> Walk<'m> {
    fn spliced(&mut self, splice: &'m Splice, scope: Scope<'m>) -> Result<Became<'m>, Odd> {
        match splice {
            Splice::Whole if scope.node.is_null() => Ok(Became::Nothing),
            Splice::Whole => Ok(Became::Same),
            Splice::Members(members) => self.members(members, scope),
            Splice::Elements(inner) => self.elements(inner, scope.node, scope),
            Splice::Choice(choice) => self.choice(choice, scope),
            Splice::Codes(codes) => self.code(codes, scope.node),
            Splice::Cases(cases) => self.cases(cases, scope),
            Splice::Both(both) => self.both(&both.0, &both.1, scope),
        }
    }

    /// What is done with the text that a member has.
    fn cases(&mut self, cases: &'m Cases, scope: Scope<'m>) -> Result<Became<'m>, Odd> {
        let text = scope.node.get(&cases.member).and_then(Node::as_str);
        let known = text.and_then(|text| cases.cases.iter().find(|(own, _)| **own == *text));
        let splice = known.map_or(cases.otherwise.as_ref(), |(_, splice)| splice.as_ref());
        self.spliced(splice.ok_or(Odd)?, scope)
    }

    /// What the second makes of what the first makes of a value, which is a document of its own in between.
    fn both(&mut self, first: &'m Splice, second: &'m Splice, scope: Scope<'m>) -> Result<Became<'m>, Odd> {
        let input = self.run.input;
        let run = &mut self.run;
        let Some(between) = alone(run, input, first, scope)? else { return Ok(Became::Nothing) };
        let inner = Input {
            tables: input.tables,
            limits: input.limits,
            ..Input::new(Some(between.root()), input.facts, input.references)
        };
        let there = Scope { node: between.root(), root: between.root(), ..scope };
        Ok(match alone(run, &inner, second, there)? {
            Some(made) => Became::Carried(made),
            None => Became::Nothing,
        })
    }

    fn members(&mut self, members: &'m Members, scope: Scope<'m>) -> Result<Became<'m>, Odd> {
        let node = scope.node;
        if !node.is_object() {
            return Err(Odd);
        }
        let mark = self.run.mark();
        let mut wrote = if members.terms.is_empty() { Wrote::Nothing } else { Wrote::Message };
        let mut missing = members.musts;
        self.patch.enter(node);
        for child in node.values() {
            match rule_of(members, child)? {
                Some(rule) if !child.is_null() || matches!(rule.act, Act::Term(_) | Act::Keep(_, true)) => {
                    missing &= !rule.must;
                    wrote = wrote.max(self.member((members, rule), child, scope)?);
                }
                _ => self.patch.cut(),
            }
        }
        if missing != 0 || !members.others.is_empty() {
            wrote = wrote.max(self.absent(members, missing, scope)?);
        }
        self.end(wrote, scope, mark)
    }

    fn member(
        &mut self,
        (members, rule): (&'m Members, &'m MemberRule),
        child: Node<'m>,
        scope: Scope<'m>,
    ) -> Result<Wrote, Odd> {
        let is_required = rule.must != 0;
        match &rule.act {
            Act::Keep(..) => {
                self.patch.reach(child);
                self.patch.keep(child);
                Ok(Wrote::Message)
            }
            Act::Inside(_, splice) => self.inside(splice, child, scope.at(child), is_required),
            Act::Every(_, splice) => {
                if is_required && child.is_empty() {
                    return Err(Odd);
                }
                let mark = self.patch.mark();
                self.patch.reach(child);
                let became = self.elements(splice, child, scope.at(child))?;
                self.became(became, child, (&mark, is_required))
            }
            Act::Move(moved) => self.moved(moved, child, scope, is_required),
            Act::Run(own) => {
                self.patch.cut();
                Ok(self.rules(std::slice::from_ref(own), scope))
            }
            Act::Term(index) => {
                self.patch.reach(child);
                match members.terms.get(*index) {
                    Some(term) if !term.value.is(child) => {
                        let slot = self.run.literal(&term.value);
                        self.patch.replace(child, Fresh::Built(&self.run.builder, slot));
                    }
                    _ => self.patch.keep(child),
                }
                Ok(Wrote::Message)
            }
        }
    }

    /// Looks into a child that stays where it is.
    fn inside(
        &mut self,
        splice: &'m Splice,
        child: Node<'m>,
        scope: Scope<'m>,
        is_required: bool,
    ) -> Result<Wrote, Odd> {
        let mark = self.patch.mark();
        self.patch.reach(child);
        let became = self.spliced(splice, scope)?;
        self.became(became, child, (&mark, is_required))
    }

    /// Puts down what became of a child that was reached.
    fn became(
        &mut self,
        became: Became<'m>,
        child: Node<'m>,
        (mark, is_required): (&crate::json::Mark, bool),
    ) -> Result<Wrote, Odd> {
        match became {
            Became::Same => self.patch.keep(child),
            Became::Text(text) => {
                self.count()?;
                self.patch.replace(child, Fresh::Text(text));
            }
            Became::Made(slot) => {
                self.count()?;
                self.patch.replace(child, Fresh::Built(&self.run.builder, slot));
            }
            Became::Carried(document) => {
                self.count()?;
                let mut builder = Builder::new();
                let slot = builder.copy(document.root());
                self.patch.replace(child, Fresh::Built(&builder, slot));
            }
            // What is required there is missing.
            Became::Nothing if is_required => return Err(Odd),
            Became::Nothing => {
                self.patch.back_to(mark);
                self.patch.cut();
                return Ok(Wrote::Nothing);
            }
        }
        Ok(Wrote::Message)
    }

    fn count(&mut self) -> Result<(), Odd> {
        self.run.count_value().map_err(|_| Odd)
    }

    /// Writes a member, or what is in it, under another name.
    fn moved(
        &mut self,
        moved: &'m Move,
        child: Node<'m>,
        scope: Scope<'m>,
        is_required: bool,
    ) -> Result<Wrote, Odd> {
        let node = moved.element.map_or(Some(child), |index| child.at(index));
        let became = match node.filter(|node| !node.is_null()) {
            Some(node) => self.placed(moved, node, child, scope)?,
            None => Became::Nothing,
        };
        self.count()?;
        match became {
            Became::Same => {}
            Became::Text(text) => self.patch.insert(&moved.name, Fresh::Text(text), moved.is_wrapped),
            Became::Made(slot) => {
                let value = Fresh::Built(&self.run.builder, slot);
                self.patch.insert(&moved.name, value, moved.is_wrapped);
            }
            Became::Carried(document) => {
                let mut builder = Builder::new();
                let slot = builder.copy(document.root());
                self.patch.insert(&moved.name, Fresh::Built(&builder, slot), moved.is_wrapped);
            }
            Became::Nothing if is_required => return Err(Odd),
            Became::Nothing => {
                self.patch.cut();
                return Ok(Wrote::Nothing);
            }
        }
        Ok(Wrote::Message)
    }

    /// Writes what stays of a node under another name; what became of it, unless that.
    fn placed(
        &mut self,
        moved: &'m Move,
        node: Node<'m>,
        child: Node<'m>,
        scope: Scope<'m>,
    ) -> Result<Became<'m>, Odd> {
        // A single value is known before it has to be written.
        if let Splice::Codes(codes) = &moved.inner {
            let became = self.code(codes, node)?;
            if !matches!(became, Became::Same) {
                return Ok(became);
            }
        }
        let mark = self.patch.mark();
        let placing = self.patch.place(&moved.name, node, moved.is_wrapped);
        let became = match &moved.inner {
            Splice::Whole | Splice::Codes(_) => Became::Same,
            inner => self.spliced(inner, scope.at(node))?,
        };
        if matches!(became, Became::Same) {
            self.patch.placed(placing, child);
        } else {
            self.patch.back_to(&mark);
        }
        Ok(became)
    }

    /// What a table of codes has for a text; what it does not have, the rules tell.
    fn code(&self, codes: &'m CodesUse, node: Node<'m>) -> Result<Became<'m>, Odd> {
        let text = node.plain_text().ok_or(Odd)?;
        let table = self.run.input.tables.of(&codes.table);
        let code = table.text_of(self.run.program.direction, text).ok_or(Odd)?;
        Ok(if code.as_bytes() == text { Became::Same } else { Became::Text(code) })
    }

    /// Runs rules that write members of what was entered last.
    fn rules(&mut self, rules: &'m [Rule], scope: Scope<'m>) -> Wrote {
        let slot = self.run.builder.object();
        let wrote = self.run.rules(rules, scope, Target { slot, pointer: "" });
        self.patch.insert_members(&self.run.builder, slot);
        wrote
    }

    /// Does what hangs on no member, or on the absence of one.
    #[inline(never)]
    fn absent(&mut self, members: &'m Members, missing: u64, scope: Scope<'m>) -> Result<Wrote, Odd> {
        let mut wrote = Wrote::Nothing;
        for member in members.all.iter().filter(|member| member.must & missing != 0) {
            match &member.act {
                act if members.is_joined && !matches!(act, Act::Term(_)) => return Err(Odd),
                Act::Term(index) => {
                    let Some(term) = members.terms.get(*index) else { continue };
                    let slot = self.run.builder.object();
                    self.run.terms(std::slice::from_ref(term), slot).map_err(|_| Odd)?;
                    self.patch.insert_members(&self.run.builder, slot);
                }
                Act::Move(moved) => wrote = wrote.max(self.rules(std::slice::from_ref(&moved.rule), scope)),
                Act::Keep(rule, _) | Act::Inside(rule, _) | Act::Every(rule, _) | Act::Run(rule) => {
                    wrote = wrote.max(self.rules(std::slice::from_ref(rule), scope));
                }
            }
        }
        if !members.others.is_empty() {
            wrote = wrote.max(self.rules(&members.others, scope));
        }
        Ok(wrote)
    }

    fn end(&mut self, wrote: Wrote, scope: Scope<'m>, mark: (usize, usize)) -> Result<Became<'m>, Odd> {
        let is_outermost = scope.node.id() == scope.root.id();
        if wrote == Wrote::Constant && is_outermost {
            // At the top constants stay by themselves.
            return Err(Odd);
        }
        let count = self.patch.count();
        self.patch.leave();
        let is_kept = self.run.close(mark.0, mark.1, wrote) == Wrote::Message;
        // At the top there may be parameters only.
        let is_body = count > 0 || !is_outermost;
        Ok(if is_kept && is_body { Became::Same } else { Became::Nothing })
    }

    fn elements(&mut self, splice: &'m Splice, array: Node<'m>, scope: Scope<'m>) -> Result<Became<'m>, Odd> {
        if !array.is_array() {
            return Err(Odd);
        }
        if array.is_empty() {
            return Ok(Became::Same);
        }
        self.patch.enter(array);
        for (index, element) in array.elements().enumerate() {
            self.inside(splice, element, scope.element(element, index), false)?;
            if self.run.is_exhausted() {
                return Err(Odd);
            }
        }
        let count = self.patch.count();
        self.patch.leave();
        Ok(if count > 0 { Became::Same } else { Became::Nothing })
    }

    fn choice(&mut self, choice: &'m Choice, scope: Scope<'m>) -> Result<Became<'m>, Odd> {
        let Action::OneOf(one_of) = &choice.rule.action else { return Err(Odd) };
        let found = self.found(choice, one_of, scope);
        let splice = match found {
            Some(index) => choice.branches.get(index).and_then(Option::as_ref),
            None => match &one_of.otherwise {
                Otherwise::Nothing => return Ok(Became::Nothing),
                Otherwise::Rules(_) => choice.otherwise.as_ref(),
                Otherwise::Refuse(_) => return Err(Odd),
            },
        };
        match splice {
            Some(splice) => self.spliced(splice, scope),
            None => self.chosen(choice, one_of, found, scope),
        }
    }

    /// The first branch that holds.
    fn found(&mut self, choice: &'m Choice, one_of: &'m OneOf, scope: Scope<'m>) -> Option<usize> {
        let Some((member, texts)) = &choice.by else {
            let mut branches = one_of.branches.iter();
            return branches.position(|branch| self.run.holds(scope, branch.condition.as_ref()));
        };
        let own = scope.node.get(member)?.as_str()?;
        texts.iter().position(|text| **text == *own)
    }

    /// Runs the rules of a branch, or those of none.
    fn chosen(
        &mut self,
        choice: &'m Choice,
        one_of: &'m OneOf,
        found: Option<usize>,
        scope: Scope<'m>,
    ) -> Result<Became<'m>, Odd> {
        let run = &mut self.run;
        let (mark, rows) = run.mark();
        let slot = run.builder.object();
        let target = Target { slot, pointer: "" };
        let wrote = match found.map(|index| one_of.branches.get(index)) {
            Some(Some(branch)) => run.branch(&choice.rule, branch, scope, target),
            Some(None) => return Err(Odd),
            None => match &one_of.otherwise {
                Otherwise::Rules(rules) => run.rules(rules, scope, target),
                Otherwise::Nothing | Otherwise::Refuse(_) => Wrote::Nothing,
            },
        };
        if wrote == Wrote::Constant && scope.node.id() == scope.root.id() {
            return Err(Odd);
        }
        let is_written = run.close(mark, rows, wrote) == Wrote::Message;
        Ok(if is_written { Became::Made(run.current(slot)) } else { Became::Nothing })
    }
}
