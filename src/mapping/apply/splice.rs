//! Messages most of which stays as it is: walked by what is in them, and copied in pieces.
//!
//! What comes out is what the rules make of the message, its members in the order in which they came. Where a message is not
//! what the contracts have it to be, the rules are run as ever, which tell what is wrong.

use super::run::{Run, Scope, Wrote, outermost};
use super::target::Target;
use super::{Applied, Failure, Input};
use crate::json::{Builder, Document, Fresh, Named, Node, Patch, Slot};
use crate::mapping::program::{
    Act, Action, Cases, Choice, CodesUse, Hoist, MemberRule, Members, Move, OneOf, Otherwise, Rule, Splice,
    Whole,
};

/// What became of a value.
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

impl Became<'_> {
    /// What is written instead, unless it stays or is nothing.
    fn fresh<'b, 'm>(&'b self, builder: &'b Builder<'m>) -> Option<Fresh<'b, 'm>> {
        match self {
            Self::Same | Self::Nothing => None,
            Self::Text(text) => Some(Fresh::Text(text)),
            Self::Made(slot) => Some(Fresh::Built(builder, *slot)),
            Self::Carried(document) => Some(Fresh::Copy(document.root())),
        }
    }
}

/// The message is not as the contracts have it: the rules shall tell.
struct Odd;

/// What is done of several.
enum Taken<'m> {
    Splice(&'m Splice),
    /// The rules of the branch of this number are run; none: those of `else`.
    Rules(Option<usize>),
    Nothing,
}

/// A way through a message.
struct Walk<'m> {
    run: Run<'m>,
    patch: Patch<'m>,
    /// `$`
    root: Node<'m>,
    /// Where the innermost element stands in its array; none outside of arrays.
    index: Option<usize>,
}

impl<'m> Run<'m> {
    /// What becomes of the message; none where the rules have to be run.
    pub fn splice(self, splice: &'m Splice) -> Option<Result<Applied, Vec<Failure>>> {
        let scope = outermost(self.input);
        let mut walk = Walk::new(self, scope);
        let became = walk.spliced(splice, scope.node).ok()?;
        if walk.run.is_exhausted() {
            return None;
        }
        if let Some(failures) = walk.run.failed() {
            return Some(Err(failures));
        }
        let (body, applied) = walk.finish(became, scope.node);
        Some(Ok(Applied { body, ..applied }))
    }
}

/// What becomes of a value by itself, as a document; none where nothing does. `around` is the run of the message.
fn alone<'n>(
    around: &mut Run<'_>,
    input: &'n Input<'n>,
    splice: &'n Splice,
    scope: Scope<'n>,
) -> Result<Option<Document>, Odd> {
    let run = Run::reading(around.program, input).after(around);
    let mut walk = Walk::new(run, scope);
    let became = walk.spliced(splice, scope.node)?;
    around.count_on(&walk.run);
    if walk.run.is_exhausted() || walk.run.failed().is_some() || !walk.run.applied.findings.is_empty() {
        return Err(Odd);
    }
    Ok(walk.finish(became, scope.node).0)
}

/// A node as a document, which it may be already.
fn whole(node: Node<'_>) -> Document {
    if node.id() == node.document().root().id() { node.document().clone() } else { Document::of(node) }
}

impl<'m> Walk<'m> {
    fn new(run: Run<'m>, scope: Scope<'m>) -> Self {
        Self { run, patch: Patch::new(scope.node), root: scope.root, index: scope.index }
    }

    /// What a rule is told of a place.
    fn scope(&self, node: Node<'m>) -> Scope<'m> {
        Scope { node, root: self.root, index: self.index }
    }

    /// What became of all of it as a document, and what else came of it.
    fn finish(self, became: Became<'m>, node: Node<'m>) -> (Option<Document>, Applied) {
        let Self { mut run, patch, .. } = self;
        let document = match became {
            Became::Same => Some(patch.finish().unwrap_or_else(|| whole(node))),
            Became::Made(slot) => Some(run.builder.finish(slot)),
            Became::Carried(document) => Some(document),
            Became::Text(text) => {
                let slot = run.builder.string(text);
                Some(run.builder.finish(slot))
            }
            Became::Nothing => None,
        };
        (document, run.applied)
    }

    fn spliced(&mut self, splice: &'m Splice, node: Node<'m>) -> Result<Became<'m>, Odd> {
        let stays = match splice {
            Splice::Whole => !node.is_null(),
            Splice::Members(members) => self.members(members, node)?,
            Splice::Elements(inner) => self.elements(inner, node)?,
            Splice::Choice(choice) => return self.choice(choice, node),
            Splice::Codes(codes) => return self.code(codes, node),
            Splice::Cases(cases) => return self.cases(cases, node),
            Splice::Both(both) => return self.both(&both.0, &both.1, node),
        };
        Ok(if stays { Became::Same } else { Became::Nothing })
    }

    /// What is done with the text that a member has.
    fn cases(&mut self, cases: &'m Cases, node: Node<'m>) -> Result<Became<'m>, Odd> {
        let text = node.get(&cases.member).and_then(Node::as_str);
        let known = text.and_then(|text| cases.cases.iter().find(|(own, _)| **own == *text));
        let splice = known.map_or(cases.otherwise.as_ref(), |(_, splice)| splice.as_ref());
        self.spliced(splice.ok_or(Odd)?, node)
    }

    /// What the second makes of what the first makes of a value, which is a document of its own in between.
    fn both(&mut self, first: &'m Splice, second: &'m Splice, node: Node<'m>) -> Result<Became<'m>, Odd> {
        let input = self.run.input;
        let scope = self.scope(node);
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

    /// Whether something of an object stays.
    fn members(&mut self, members: &'m Members, node: Node<'m>) -> Result<bool, Odd> {
        let mark = self.run.mark();
        self.patch.enter(node);
        let wrote = self.fields(members, node)?;
        let is_outermost = node.id() == self.root.id();
        if wrote == Wrote::Constant && is_outermost {
            // At the top constants stay by themselves.
            return Err(Odd);
        }
        // Nothing is to be forgotten about most objects.
        let is_kept = (wrote == Wrote::Message && self.run.created.len() == mark.0)
            || self.run.close(mark.0, mark.1, wrote) == Wrote::Message;
        // At the top there may be parameters only.
        let stays = is_kept && (!is_outermost || self.patch.count() > 0);
        if stays {
            self.patch.leave();
        } else {
            self.patch.abandon();
        }
        Ok(stays)
    }

    /// Does what is to be done with the members of an object.
    #[inline]
    fn fields(&mut self, members: &'m Members, node: Node<'m>) -> Result<Wrote, Odd> {
        if !node.is_object() {
            return Err(Odd);
        }
        let mut wrote = if members.terms.is_empty() { Wrote::Nothing } else { Wrote::Message };
        let mut missing = members.musts;
        if members.all.is_empty() {
            self.patch.cut();
            return self.absent(members, missing, node);
        }
        for child in node.values() {
            let rule = match members.names.of(child) {
                Named::Known(number) => members.all.get(number),
                Named::Otherwise => None,
                Named::Unclear => return Err(Odd),
            };
            match rule {
                Some(rule) if !child.is_null() || matches!(rule.act, Act::Term(_) | Act::Keep(_, true)) => {
                    missing &= !rule.must;
                    wrote = wrote.max(match &rule.act {
                        // As most are, without a call.
                        Act::Keep(..) => {
                            self.patch.reach(child);
                            self.patch.keep(child);
                            Wrote::Message
                        }
                        Act::Inside(_, splice) => self.inside(splice, child, rule.must != 0)?,
                        _ => self.member((members, rule), child, node)?,
                    });
                }
                _ => self.patch.cut(),
            }
        }
        if missing != 0 || !(members.others.is_empty() && members.wholes.is_empty()) {
            wrote = wrote.max(self.absent(members, missing, node)?);
        }
        Ok(wrote)
    }

    #[inline(never)]
    fn member(
        &mut self,
        (members, rule): (&'m Members, &'m MemberRule),
        child: Node<'m>,
        node: Node<'m>,
    ) -> Result<Wrote, Odd> {
        let is_required = rule.must != 0;
        match &rule.act {
            Act::Keep(..) => {
                self.patch.reach(child);
                self.patch.keep(child);
                Ok(Wrote::Message)
            }
            Act::Inside(_, splice) => self.inside(splice, child, is_required),
            Act::Every(..) if is_required && child.is_empty() => Err(Odd),
            Act::Every(_, splice) => {
                self.patch.reach(child);
                let stays = self.elements(splice, child)?;
                self.stayed(stays, child, is_required)
            }
            Act::Move(moved) => self.moved(moved, child, is_required),
            Act::Hoist(hoist) => self.hoisted(hoist, child, is_required),
            Act::Run(own) => {
                self.patch.cut();
                Ok(self.rules(std::slice::from_ref(own), node))
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
    fn inside(&mut self, splice: &'m Splice, child: Node<'m>, is_required: bool) -> Result<Wrote, Odd> {
        self.patch.reach(child);
        let stays = match splice {
            Splice::Members(members) => self.members(members, child)?,
            Splice::Elements(inner) => self.elements(inner, child)?,
            other => {
                let became = self.spliced(other, child)?;
                if let Some(fresh) = became.fresh(&self.run.builder) {
                    self.patch.replace(child, fresh);
                    self.count()?;
                    return Ok(Wrote::Message);
                }
                matches!(became, Became::Same)
            }
        };
        self.stayed(stays, child, is_required)
    }

    /// Keeps a child that was reached, or leaves it out.
    #[inline]
    fn stayed(&mut self, stays: bool, child: Node<'m>, is_required: bool) -> Result<Wrote, Odd> {
        if stays {
            self.patch.keep(child);
            return Ok(Wrote::Message);
        }
        self.patch.cut();
        // What is required there is missing.
        if is_required { Err(Odd) } else { Ok(Wrote::Nothing) }
    }

    fn count(&mut self) -> Result<(), Odd> {
        self.run.count_value().map_err(|_| Odd)
    }

    /// Writes a member, or what is in it, under another name.
    fn moved(&mut self, moved: &'m Move, child: Node<'m>, is_required: bool) -> Result<Wrote, Odd> {
        let node = moved.element.map_or(Some(child), |index| child.at(index));
        let became = match node.filter(|node| !node.is_null()) {
            Some(node) => self.placed(moved, node, child)?,
            None => Became::Nothing,
        };
        self.count()?;
        match became.fresh(&self.run.builder) {
            Some(fresh) => self.patch.insert(&moved.name, fresh, moved.is_wrapped),
            None if matches!(became, Became::Same) => {}
            None if is_required => return Err(Odd),
            None => {
                self.patch.cut();
                return Ok(Wrote::Nothing);
            }
        }
        Ok(Wrote::Message)
    }

    /// Writes what stays of a node under another name; what became of it, unless that.
    fn placed(&mut self, moved: &'m Move, node: Node<'m>, child: Node<'m>) -> Result<Became<'m>, Odd> {
        // A single value is known before it has to be written.
        if let Splice::Codes(codes) = &moved.inner {
            let became = self.code(codes, node)?;
            if !matches!(became, Became::Same) {
                return Ok(became);
            }
        }
        let placing = self.patch.place(&moved.name, node, moved.is_wrapped);
        let became = match &moved.inner {
            Splice::Whole | Splice::Codes(_) => Became::Same,
            inner => self.spliced(inner, node)?,
        };
        if matches!(became, Became::Same) {
            self.patch.placed(placing, child);
        } else {
            self.patch.unplace(&placing);
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
    fn rules(&mut self, rules: &'m [Rule], node: Node<'m>) -> Wrote {
        let slot = self.run.builder.object();
        let wrote = self.run.rules(rules, self.scope(node), Target { slot, pointer: "" });
        self.patch.insert_members(&self.run.builder, slot);
        wrote
    }

    /// Does what hangs on no member, or on the absence of one.
    #[inline(never)]
    fn absent(&mut self, members: &'m Members, missing: u64, node: Node<'m>) -> Result<Wrote, Odd> {
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
                Act::Move(moved) => wrote = wrote.max(self.rules(std::slice::from_ref(&moved.rule), node)),
                Act::Hoist(hoist) => wrote = wrote.max(self.rules(std::slice::from_ref(&hoist.rule), node)),
                Act::Keep(rule, _) | Act::Inside(rule, _) | Act::Every(rule, _) | Act::Run(rule) => {
                    wrote = wrote.max(self.rules(std::slice::from_ref(rule), node));
                }
            }
        }
        let hang_on = members.others_on.as_deref();
        if !members.others.is_empty()
            && hang_on.is_none_or(|names| names.iter().any(|name| node.get(name).is_some()))
        {
            wrote = wrote.max(self.rules(&members.others, node));
        }
        for whole in &members.wholes {
            wrote = wrote.max(self.whole(whole, node)?);
        }
        Ok(wrote)
    }

    /// Writes what becomes of an object as a whole.
    fn whole(&mut self, whole: &'m Whole, node: Node<'m>) -> Result<Wrote, Odd> {
        let Some((name, is_wrapped)) = &whole.at else { return self.hoist(&whole.inner, node) };
        self.count()?;
        let placing = self.patch.place(name, node, *is_wrapped);
        match self.spliced(&whole.inner, node)? {
            Became::Same => self.patch.placed_beside(&placing),
            became => {
                self.patch.unplace(&placing);
                match became.fresh(&self.run.builder) {
                    Some(fresh) => self.patch.insert(name, fresh, *is_wrapped),
                    None if matches!(&whole.rule.action, Action::Group(group) if group.required) => {
                        return Err(Odd);
                    }
                    None => return Ok(Wrote::Nothing),
                }
            }
        }
        Ok(Wrote::Message)
    }

    /// Writes the members of what a member is, or of what is in it, beside it.
    fn hoisted(&mut self, hoist: &'m Hoist, child: Node<'m>, is_required: bool) -> Result<Wrote, Odd> {
        let node = hoist.element.map_or(Some(child), |index| child.at(index));
        let wrote = match node.filter(|node| !node.is_null()) {
            Some(node) => self.hoist(&hoist.inner, node)?,
            None => Wrote::Nothing,
        };
        self.patch.cut();
        if wrote == Wrote::Nothing && is_required { Err(Odd) } else { Ok(wrote) }
    }

    /// Writes what becomes of the members of an object as members of what was entered last.
    fn hoist(&mut self, splice: &'m Splice, node: Node<'m>) -> Result<Wrote, Odd> {
        let wrote = match splice {
            Splice::Members(members) => {
                self.patch.hoist(node);
                let wrote = self.fields(members, node)?;
                self.patch.hoisted();
                wrote
            }
            Splice::Choice(choice) => match self.taken(choice, node)? {
                Taken::Splice(splice) => self.hoist(splice, node)?,
                Taken::Rules(found) => {
                    let (wrote, slot) = self.chosen(choice, found, node)?;
                    if self.run.current(slot) != slot {
                        return Err(Odd);
                    }
                    self.patch.insert_members(&self.run.builder, slot);
                    wrote
                }
                Taken::Nothing => Wrote::Nothing,
            },
            _ => return Err(Odd),
        };
        // Constants alone would have to be taken back.
        if wrote == Wrote::Constant { Err(Odd) } else { Ok(wrote) }
    }

    /// Whether something of an array stays, or all of one without elements.
    fn elements(&mut self, splice: &'m Splice, array: Node<'m>) -> Result<bool, Odd> {
        if !array.is_array() {
            return Err(Odd);
        }
        if array.is_empty() {
            return Ok(true);
        }
        self.patch.enter(array);
        let outer = self.index;
        for (index, element) in array.elements().enumerate() {
            self.index = Some(index);
            self.inside(splice, element, false)?;
            if self.run.is_exhausted() {
                return Err(Odd);
            }
        }
        self.index = outer;
        let stays = self.patch.count() > 0;
        if stays {
            self.patch.leave();
        } else {
            self.patch.abandon();
        }
        Ok(stays)
    }

    fn choice(&mut self, choice: &'m Choice, node: Node<'m>) -> Result<Became<'m>, Odd> {
        let found = match self.taken(choice, node)? {
            Taken::Splice(splice) => return self.spliced(splice, node),
            Taken::Nothing => return Ok(Became::Nothing),
            Taken::Rules(found) => found,
        };
        let (mark, rows) = self.run.mark();
        let (wrote, slot) = self.chosen(choice, found, node)?;
        if wrote == Wrote::Constant && node.id() == self.root.id() {
            return Err(Odd);
        }
        let is_written = self.run.close(mark, rows, wrote) == Wrote::Message;
        Ok(if is_written { Became::Made(self.run.current(slot)) } else { Became::Nothing })
    }

    /// Which way is taken.
    fn taken(&mut self, choice: &'m Choice, node: Node<'m>) -> Result<Taken<'m>, Odd> {
        let Action::OneOf(one_of) = &choice.rule.action else { return Err(Odd) };
        let found = self.found(choice, one_of, node);
        let splice = match found {
            Some(index) => choice.branches.get(index).and_then(Option::as_ref),
            None => match &one_of.otherwise {
                Otherwise::Nothing => return Ok(Taken::Nothing),
                Otherwise::Rules(_) => choice.otherwise.as_ref(),
                Otherwise::Refuse(_) => return Err(Odd),
            },
        };
        Ok(splice.map_or(Taken::Rules(found), Taken::Splice))
    }

    /// The first branch that holds.
    fn found(&mut self, choice: &'m Choice, one_of: &'m OneOf, node: Node<'m>) -> Option<usize> {
        let Some((member, texts)) = &choice.by else {
            let scope = self.scope(node);
            let mut branches = one_of.branches.iter();
            return branches.position(|branch| self.run.holds(scope, branch.condition.as_ref()));
        };
        let own = node.get(member)?.as_str()?;
        texts.iter().position(|text| **text == *own)
    }

    /// Runs the rules of a branch, or those of none; what they write.
    fn chosen(
        &mut self,
        choice: &'m Choice,
        found: Option<usize>,
        node: Node<'m>,
    ) -> Result<(Wrote, Slot), Odd> {
        let Action::OneOf(one_of) = &choice.rule.action else { return Err(Odd) };
        let scope = self.scope(node);
        let run = &mut self.run;
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
        Ok((wrote, slot))
    }
}
