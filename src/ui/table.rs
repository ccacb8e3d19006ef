//! Tables without lines, one line for a row, laid out and written as they fill.

use super::{Screen, Tone};
use crate::messages;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Width};
use std::io::{self, Write};

/// The maximum width of any column but the last.
const WIDEST: usize = 24;
/// So many rows are laid out together; those that follow keep the widths.
pub(super) const LAID_OUT: usize = 500;
/// The space between two columns.
const GAP: u16 = 2;
/// No last column is cut to less.
const NARROWEST: u16 = 16;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    title: &'static str,
    alignment: CellAlignment,
    optional: bool,
}

impl Column {
    /// Of text, which begins at the left.
    pub fn text(title: &'static str) -> Column {
        Column { title, alignment: CellAlignment::Left, optional: false }
    }

    /// Of numbers, which end at the right.
    pub fn number(title: &'static str) -> Column {
        Column { title, alignment: CellAlignment::Right, optional: false }
    }

    /// A column that is left out as long as it is empty.
    pub fn optional(self) -> Column {
        Column { optional: true, ..self }
    }
}

/// A table that takes no more memory for more rows. On a terminal the last
/// column is cut to the width; nothing in a cell steers the terminal.
pub struct Table<'a> {
    screen: Screen,
    out: &'a mut dyn Write,
    columns: Vec<Column>,
    rows: Vec<(Tone, Vec<String>)>,
    /// The columns to show; none before the first row was written.
    there: Vec<bool>,
    /// The widths of the columns so far.
    widths: Vec<u16>,
}

impl<'a> Table<'a> {
    /// An empty one.
    pub fn new(screen: Screen, out: &'a mut dyn Write, columns: Vec<Column>) -> Table<'a> {
        let widths = vec![0; columns.len()];
        Table { screen, out, columns, rows: Vec::new(), there: Vec::new(), widths }
    }

    /// Adds a row, a cell for each column.
    pub fn row(&mut self, tone: Tone, cells: Vec<String>) -> io::Result<()> {
        self.rows.push((tone, cells));
        if self.rows.len() == LAID_OUT { self.write() } else { Ok(()) }
    }

    /// Writes what is left. A table without rows is nothing at all.
    pub fn finish(mut self) -> io::Result<()> {
        if self.rows.is_empty() { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let there = self.columns.iter().enumerate().map(|(at, column)| {
            !column.optional
                || self.there.get(at) == Some(&true)
                || rows.iter().any(|(_, cells)| cells.get(at).is_some_and(|cell| !cell.is_empty()))
        });
        let there: Vec<bool> = there.collect();
        let mut table = comfy_table::Table::new();
        let mut tones = Vec::with_capacity(1 + rows.len());
        table.load_style(NOTHING);
        if there != self.there {
            // The first rows, or the first that fill an optional column.
            table.set_header(one_line(self.columns.iter().map(|column| Cell::new(column.title))));
            tones.push(Tone::Heading);
        }
        self.there = there;
        let last = self.columns.len().saturating_sub(1);
        for (tone, cells) in rows {
            let cells = cells.iter().enumerate().map(|(at, cell)| {
                let cell = messages::harmless(cell);
                Cell::new_owned(if at < last { cut(&cell) } else { cell.into_owned() })
            });
            table.add_row(one_line(cells));
            tones.push(tone);
        }
        for (known, width) in self.widths.iter_mut().zip(table.column_max_content_widths()) {
            *known = (*known).max(width);
        }
        self.arrange(&mut table);
        for (line, tone) in table.lines().zip(tones) {
            writeln!(self.out, "{}", self.screen.paint(tone, line.trim_end()))?;
        }
        Ok(())
    }

    fn arrange(&self, table: &mut comfy_table::Table) {
        let last = self.columns.len().saturating_sub(1);
        let before = self.widths[..last].iter().zip(&self.there).filter(|(_, there)| **there);
        let before: u16 = before.map(|(width, _)| width + GAP).sum();
        let left =
            self.screen.width.map_or(u16::MAX, |width| width.saturating_sub(before).max(NARROWEST));
        for (at, column) in table.column_iter_mut().enumerate() {
            let (most, gap) = if at == last { (left, 0) } else { (u16::MAX - GAP, GAP) };
            let width = self.widths[at].clamp(1, most) + gap;
            column.set_constraint(if self.there[at] {
                ColumnConstraint::Absolute(Width::Fixed(width))
            } else {
                ColumnConstraint::Hidden
            });
            column.set_padding((0, gap));
            column.set_cell_alignment(self.columns[at].alignment);
            // Cut at the width and not at the last blank before it.
            column.set_delimiter('\n');
        }
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // The columns say how wide it is.
        table.set_width(u16::MAX);
    }
}

fn one_line(cells: impl Iterator<Item = Cell>) -> Row {
    let mut row = Row::from(cells);
    row.max_height(1);
    row
}

fn cut(cell: &str) -> String {
    if cell.chars().count() <= WIDEST {
        return cell.to_owned();
    }
    cell.chars().take(WIDEST - 1).chain(['…']).collect()
}
