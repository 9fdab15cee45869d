//! Code tables: from the file to what translates, and whether each direction that is used can be read.

use super::Compiler;
use super::values::code_literal;
use crate::mapping::codes::{CodeTable, Row};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::path::Literal;
use crate::mapping::raw::{self, CodeSide, Otherwise, Rule, Text};
use crate::text::{Diagnostic, yaml::Node};
use std::sync::Arc;

impl<'c> Compiler<'c> {
    /// Builds every table; values of another type than the table declares are told.
    pub(super) fn check_tables(&mut self) {
        let set = self.set;
        for raw in &set.tables {
            if self.known.holds(raw) {
                continue;
            }
            self.check_row_copies(raw);
            let rows =
                raw.rows.iter().map(|row| Row { sonata: values(&row.sonata), legacy: values(&row.legacy) });
            let table = CodeTable::new(rows.collect(), raw.sonata_type, raw.legacy_type);
            for (row, value) in table.mistyped() {
                let span = raw.rows.get(row).map_or(raw.name.span(), |row| row.span);
                let message = format!("{value} is not of the type that the table declares for its side");
                self.out.push(Diagnostic::error(code::TYPES, message).at(span));
            }
            self.known.take(raw, table);
        }
    }

    /// A direction that is used must give every value one meaning.
    pub(super) fn check_readable(&mut self, raw: &raw::CodeTable, used: &Text, direction: Direction) {
        let Some(table) = self.known.tables.get(raw.name.as_str()) else { return };
        let table = Arc::clone(&table.table);
        for twice in table.duplicates(direction) {
            let Some(again) = raw.rows.get(twice.again) else { continue };
            let side = if direction == Direction::ToLegacy { &again.sonata } else { &again.legacy };
            let at = match side {
                CodeSide::Values(texts) => {
                    texts.iter().find(|text| text.as_str() == twice.code).map(Text::span)
                }
                CodeSide::Absent(_) => None,
            };
            let message = format!("`{}` has two meanings when it is read {direction}", twice.code);
            let fault = Diagnostic::error(code::NOT_READABLE, message).at(at.unwrap_or(again.span));
            let place = self.sources.place(used.span());
            let hint = format!(
                "join the rows (`[ A, B ]` lists several values), or restrict the rule at {place} by `only:`"
            );
            self.out.push(fault.hint(hint));
        }
    }

    /// A table that is used, as programs name it.
    pub(super) fn table(&self, name: &Text) -> Option<(Arc<CodeTable>, &'c raw::CodeTable)> {
        let raw = self.set.table(name.as_str())?;
        Some((Arc::clone(&self.known.tables.get(name.as_str())?.named), raw))
    }

    /// What is written for a value that the table does not have: the rule's word, else the table's.
    pub(super) fn otherwise(
        &mut self,
        rule: &Rule,
        raw: &raw::CodeTable,
        table: &CodeTable,
        direction: Direction,
    ) -> Option<Literal> {
        let own = rule.otherwise.as_ref().and_then(|otherwise| directed(otherwise, direction));
        let node =
            own.or_else(|| raw.otherwise.as_ref().and_then(|otherwise| directed(otherwise, direction)))?;
        match code_literal(node, table.writes(direction)) {
            Ok(literal) => Some(literal),
            Err(message) => {
                self.out.push(Diagnostic::error(code::TYPES, message).at(node.span));
                None
            }
        }
    }
}

fn directed(otherwise: &Otherwise, direction: Direction) -> Option<&Node> {
    match (otherwise, direction) {
        (Otherwise::Plain(node), _) => Some(node),
        (Otherwise::Directed(directed), Direction::ToLegacy) => directed.to_legacy.as_ref(),
        (Otherwise::Directed(directed), Direction::ToSonata) => directed.to_sonata.as_ref(),
    }
}

fn values(side: &CodeSide) -> Vec<String> {
    match side {
        CodeSide::Values(texts) => texts.iter().map(|text| text.as_str().to_owned()).collect(),
        CodeSide::Absent(_) => Vec::new(),
    }
}
