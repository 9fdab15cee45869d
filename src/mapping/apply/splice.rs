//! Messages most of which stays as it is: walked by what is in them, and copied in stretches.
//!
//! What comes out is what the rules make of the message, its members in the order in which they came. Where a message is not
//! what the contracts have it to be, the rules are run as ever, which tell what is wrong.

use super::run::{Run, Scope, Wrote, outermost};
use super::target::Target;
use super::{Applied, Failure};
use crate::json::{Document, Named, Node, Seen, Slot, Stretch};
use crate::mapping::program::{
    Act, Action, Choice, MemberRule, Members, Move, OneOf, Otherwise, Rule, Splice,
};

/// What became of a value.
#[derive(Clone, Copy)]
enum Became {
    /// It stays as it is.
    Same,
    Made(Slot),
    /// Nothing of it is written.
    Nothing,
}

/// The message is not as the contracts have it: the rules shall tell.
struct Odd;

/// What of an object is done.
struct Done<'m> {
    /// What is written; none as long as all members stay.
    slot: Option<Slot>,
    /// Members that stay, and stand behind what is written.
    stretch: Option<Stretch<'m>>,
    /// Whether a member was left out or written anew.
    is_changed: bool,
    wrote: Wrote,
}

/// What is said of a member, and what is known of its name.
#[inline]
fn rule_of<'m>(members: &'m Members, child: Node<'m>) -> Result<(Option<&'m MemberRule>, Seen), Odd> {
    let (named, seen) = members.names.of(child);
    match named {
        Named::Known(index) => Ok((members.all.get(index), seen)),
        Named::Otherwise => Ok((None, seen)),
        Named::Unclear => Err(Odd),
    }
}

impl<'m> Run<'m> {
    /// What becomes of the message; none where the rules have to be run.
    pub fn splice(mut self, splice: &'m Splice) -> Option<Result<Applied, Vec<Failure>>> {
        let scope = outermost(self.input);
        let became = self.spliced(splice, scope).ok()?;
        if self.is_exhausted() {
            return None;
        }
        if let Some(failures) = self.failed() {
            return Some(Err(failures));
        }
        self.applied.body = match became {
            Became::Same if scope.node.id() == scope.node.document().root().id() => {
                Some(scope.node.document().clone())
            }
            Became::Same => Some(Document::of(scope.node)),
            Became::Made(slot) => Some(std::mem::take(&mut self.builder).finish(slot)),
            Became::Nothing => None,
        };
        Some(Ok(self.applied))
    }

    fn spliced(&mut self, splice: &'m Splice, scope: Scope<'m>) -> Result<Became, Odd> {
        match splice {
            Splice::Whole if scope.node.is_null() => Ok(Became::Nothing),
            Splice::Whole => Ok(Became::Same),
            Splice::Members(members) => self.spliced_members(members, scope),
            Splice::Elements(inner) => self.spliced_elements(inner, scope.node, scope),
            Splice::Choice(choice) => self.spliced_choice(choice, scope),
        }
    }

    fn spliced_members(&mut self, members: &'m Members, scope: Scope<'m>) -> Result<Became, Odd> {
        let node = scope.node;
        if !node.is_object() {
            return Err(Odd);
        }
        let (mark, rows) = self.mark();
        let wrote = if members.terms.is_empty() { Wrote::Nothing } else { Wrote::Message };
        let mut done = Done { slot: None, stretch: None, is_changed: false, wrote };
        let mut missing = members.musts;
        for child in node.values() {
            let (rule, seen) = rule_of(members, child)?;
            match rule {
                Some(rule) if !child.is_null() || matches!(rule.act, Act::Term(_) | Act::Keep(_, true)) => {
                    missing &= !rule.must;
                    self.spliced_member((members, rule), (child, seen), scope, &mut done)?;
                }
                _ => self.leave_out(&mut done),
            }
        }
        if missing != 0 || !members.others.is_empty() {
            self.absent(members, missing, scope, &mut done)?;
        }
        self.end(done, scope, (mark, rows))
    }

    fn spliced_member(
        &mut self,
        (members, rule): (&'m Members, &'m MemberRule),
        (child, seen): (Node<'m>, Seen),
        scope: Scope<'m>,
        done: &mut Done<'m>,
    ) -> Result<(), Odd> {
        let became = match &rule.act {
            Act::Keep(..) => Became::Same,
            Act::Inside(_, splice) => self.spliced(splice, scope.at(child))?,
            Act::Every(_, splice) => {
                if rule.must != 0 && child.is_empty() {
                    return Err(Odd);
                }
                self.spliced_elements(splice, child, scope.at(child))?
            }
            Act::Move(moved) => {
                let written = self.moved(moved, child, scope, done)?;
                return if written || rule.must == 0 { Ok(()) } else { Err(Odd) };
            }
            Act::Run(own) => {
                self.run(own, scope, done);
                done.is_changed = true;
                return Ok(());
            }
            Act::Term(index) => match members.terms.get(*index) {
                Some(term) if !term.value.is(child) => Became::Made(self.literal(&term.value)),
                _ => Became::Same,
            },
        };
        self.became((child, seen), became, rule.must != 0, done)
    }

    /// Puts down what became of a member.
    fn became(
        &mut self,
        (child, seen): (Node<'m>, Seen),
        became: Became,
        is_required: bool,
        done: &mut Done<'m>,
    ) -> Result<(), Odd> {
        match became {
            Became::Same => {
                match &mut done.stretch {
                    Some(stretch) => stretch.extend((child, seen)),
                    None => done.stretch = Some(Stretch::of((child, seen))),
                }
                done.wrote = Wrote::Message;
            }
            Became::Made(slot) => {
                let object = self.cut(done);
                self.count_value().map_err(|_| Odd)?;
                self.builder.append_as(object, child, slot);
                (done.is_changed, done.wrote) = (true, Wrote::Message);
            }
            // What is required there is missing.
            Became::Nothing if is_required => return Err(Odd),
            Became::Nothing => self.leave_out(done),
        }
        Ok(())
    }

    /// Writes a member, or what is in it, under another name; whether there is something to write.
    fn moved(
        &mut self,
        moved: &'m Move,
        child: Node<'m>,
        scope: Scope<'m>,
        done: &mut Done<'m>,
    ) -> Result<bool, Odd> {
        self.leave_out(done);
        let Some(slot) = self.moved_value(moved, child, scope)? else { return Ok(false) };
        self.count_value().map_err(|_| Odd)?;
        let written = if moved.is_wrapped {
            let array = self.builder.array();
            self.builder.push(array, slot);
            array
        } else {
            slot
        };
        let object = self.cut(done);
        self.builder.set_known(object, &moved.name, written);
        done.wrote = Wrote::Message;
        Ok(true)
    }

    fn moved_value(
        &mut self,
        moved: &'m Move,
        child: Node<'m>,
        scope: Scope<'m>,
    ) -> Result<Option<Slot>, Odd> {
        let node = moved.element.map_or(Some(child), |index| child.at(index));
        let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(None) };
        let became = match &moved.inner {
            None => Became::Same,
            Some(inner) => self.spliced(inner, scope.at(node))?,
        };
        Ok(match became {
            Became::Same => Some(self.builder.copy(node)),
            Became::Made(slot) => Some(slot),
            Became::Nothing => None,
        })
    }

    fn leave_out(&mut self, done: &mut Done<'m>) {
        self.cut(done);
        done.is_changed = true;
    }

    /// Ends a stretch: what is written from now on stands behind it.
    fn cut(&mut self, done: &mut Done<'m>) -> Slot {
        self.builder.make_room();
        let slot = *done.slot.get_or_insert_with(|| self.builder.object());
        if let Some(stretch) = done.stretch.take() {
            self.builder.splice(slot, stretch);
        }
        slot
    }

    fn run(&mut self, rule: &'m Rule, scope: Scope<'m>, done: &mut Done<'m>) {
        self.others(std::slice::from_ref(rule), scope, done);
    }

    /// Does what hangs on no member, or on the absence of one.
    #[inline(never)]
    fn absent(
        &mut self,
        members: &'m Members,
        missing: u64,
        scope: Scope<'m>,
        done: &mut Done<'m>,
    ) -> Result<(), Odd> {
        for member in members.all.iter().filter(|member| member.must & missing != 0) {
            match &member.act {
                Act::Term(index) => {
                    let Some(term) = members.terms.get(*index) else { continue };
                    let slot = self.cut(done);
                    self.terms(std::slice::from_ref(term), slot).map_err(|_| Odd)?;
                }
                Act::Move(moved) => self.run(&moved.rule, scope, done),
                Act::Keep(rule, _) | Act::Inside(rule, _) | Act::Every(rule, _) | Act::Run(rule) => {
                    self.run(rule, scope, done);
                }
            }
        }
        self.others(&members.others, scope, done);
        Ok(())
    }

    fn others(&mut self, rules: &'m [Rule], scope: Scope<'m>, done: &mut Done<'m>) {
        if !rules.is_empty() {
            let slot = self.cut(done);
            let wrote = self.rules(rules, scope, Target { slot, pointer: "" });
            done.wrote = done.wrote.max(wrote);
        }
    }

    fn end(
        &mut self,
        mut done: Done<'m>,
        scope: Scope<'m>,
        (mark, rows): (usize, usize),
    ) -> Result<Became, Odd> {
        let is_outermost = scope.node.id() == scope.root.id();
        if done.wrote == Wrote::Constant && is_outermost {
            // At the top constants stay by themselves.
            return Err(Odd);
        }
        if self.close(mark, rows, done.wrote) != Wrote::Message {
            return Ok(Became::Nothing);
        }
        let Some(slot) = done.slot else { return Ok(Became::Same) };
        let written = self.builder.len(slot);
        if written == 0 && done.stretch.is_none() && is_outermost {
            // Parameters only.
            return Ok(Became::Nothing);
        }
        if !done.is_changed && done.stretch.is_none() && written == scope.node.len() {
            return Ok(Became::Same);
        }
        self.cut(&mut done);
        Ok(Became::Made(slot))
    }

    fn spliced_elements(
        &mut self,
        splice: &'m Splice,
        array: Node<'m>,
        scope: Scope<'m>,
    ) -> Result<Became, Odd> {
        if !array.is_array() {
            return Err(Odd);
        }
        if array.is_empty() {
            return Ok(Became::Same);
        }
        for (index, element) in array.elements().enumerate() {
            let became = self.spliced_element(splice, scope.element(element, index))?;
            if !matches!(became, Became::Same) {
                return self.changed_elements(splice, array, (index, became), scope);
            }
        }
        Ok(Became::Same)
    }

    fn spliced_element(&mut self, splice: &'m Splice, scope: Scope<'m>) -> Result<Became, Odd> {
        let became = self.spliced(splice, scope)?;
        if self.is_exhausted() { Err(Odd) } else { Ok(became) }
    }

    /// A new array of elements of which the one at an index is the first that changed.
    fn changed_elements(
        &mut self,
        splice: &'m Splice,
        array: Node<'m>,
        (first, mut became): (usize, Became),
        scope: Scope<'m>,
    ) -> Result<Became, Odd> {
        let target = self.array_of(array, first);
        for (index, element) in array.elements().enumerate().skip(first) {
            if index > first {
                became = self.spliced_element(splice, scope.element(element, index))?;
            }
            let slot = match became {
                Became::Same => self.builder.copy(element),
                Became::Made(slot) => slot,
                Became::Nothing => continue,
            };
            self.count_value().map_err(|_| Odd)?;
            self.builder.push(target, slot);
        }
        Ok(if self.builder.is_empty(target) { Became::Nothing } else { Became::Made(target) })
    }

    /// A new array of the first elements of another.
    fn array_of(&mut self, array: Node<'m>, count: usize) -> Slot {
        let slot = self.builder.array();
        for element in array.elements().take(count) {
            let element = self.builder.copy(element);
            self.builder.push(slot, element);
        }
        slot
    }

    fn spliced_choice(&mut self, choice: &'m Choice, scope: Scope<'m>) -> Result<Became, Odd> {
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
            return branches.position(|branch| self.holds(scope, branch.condition.as_ref()));
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
    ) -> Result<Became, Odd> {
        let (mark, rows) = self.mark();
        let slot = self.builder.object();
        let target = Target { slot, pointer: "" };
        let wrote = match found.map(|index| one_of.branches.get(index)) {
            Some(Some(branch)) => self.branch(&choice.rule, branch, scope, target),
            Some(None) => return Err(Odd),
            None => match &one_of.otherwise {
                Otherwise::Rules(rules) => self.rules(rules, scope, target),
                Otherwise::Nothing | Otherwise::Refuse(_) => Wrote::Nothing,
            },
        };
        if wrote == Wrote::Constant && scope.node.id() == scope.root.id() {
            return Err(Odd);
        }
        let is_written = self.close(mark, rows, wrote) == Wrote::Message;
        Ok(if is_written { Became::Made(self.current(slot)) } else { Became::Nothing })
    }
}
