//! Tables without lines, one row per line, laid out and written as they fill.

use super::{Screen, Tone};
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Width};
use std::io::{self, Write};

/// The maximum width of any column but the last.
const WIDEST: usize = 24;
/// The number of rows that are laid out together; later rows keep their widths.
pub(super) const LAID_OUT: usize = 500;
/// The space between two columns.
const GAP: u16 = 2;
/// The minimum width of the last column while others can be dropped.
const WANTED: u16 = 24;
/// The minimum width of the last column.
const NARROWEST: u16 = 16;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    title: &'static str,
    alignment: CellAlignment,
    optional: bool,
    /// The order in which columns are dropped, highest first; none for a column that stays.
    gives_way: Option<u8>,
}

impl Column {
    /// Creates a left-aligned column of text.
    pub fn text(title: &'static str) -> Column {
        Column { title, alignment: CellAlignment::Left, optional: false, gives_way: None }
    }

    /// Creates a right-aligned column of numbers.
    pub fn number(title: &'static str) -> Column {
        Column { title, alignment: CellAlignment::Right, optional: false, gives_way: None }
    }

    /// Omits the column as long as it is empty.
    pub fn optional(self) -> Column {
        Column { optional: true, ..self }
    }

    /// Drops the column where the terminal is too narrow for all of them, the sooner the higher the
    /// number.
    pub fn gives_way(self, order: u8) -> Column {
        Column { gives_way: Some(order), ..self }
    }
}

/// A table whose memory does not grow with its rows. On a terminal the last column is cut to the
/// width. No cell can steer the terminal.
pub struct Table<'a> {
    screen: Screen,
    out: &'a mut dyn Write,
    columns: Vec<Column>,
    rows: Vec<(Tone, Vec<String>)>,
    /// The columns to show; empty before the first row was written.
    there: Vec<bool>,
    /// The widths of the columns so far.
    widths: Vec<u16>,
}

impl<'a> Table<'a> {
    /// Creates an empty table.
    pub fn new(screen: Screen, out: &'a mut dyn Write, columns: Vec<Column>) -> Table<'a> {
        let title = |column: &Column| u16::try_from(column.title.len()).unwrap_or(u16::MAX);
        let widths = columns.iter().map(title).collect();
        Table { screen, out, columns, rows: Vec::new(), there: Vec::new(), widths }
    }

    /// Adds a row, with a cell for each column.
    pub fn row(&mut self, tone: Tone, cells: Vec<String>) -> io::Result<()> {
        self.rows.push((tone, cells));
        if self.rows.len() == LAID_OUT { self.write() } else { Ok(()) }
    }

    /// Writes the remaining rows. A table without rows prints nothing.
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
        table.load_style(NOTHING);
        let mut tones = Vec::with_capacity(1 + rows.len());
        let last = self.columns.len().saturating_sub(1);
        for (tone, cells) in rows {
            let cells = cells.iter().enumerate().map(|(at, cell)| {
                let cell = cachex_base::text::quote::harmless(cell);
                Cell::new_owned(if at < last { cut(&cell) } else { cell.into_owned() })
            });
            table.add_row(one_line(cells));
            tones.push(tone);
        }
        for (known, width) in self.widths.iter_mut().zip(table.column_max_content_widths()) {
            *known = (*known).max(width);
        }
        let there = self.that_fit(there);
        if there != self.there {
            // The first rows, or the first that fill an optional column or need more room.
            table.set_header(one_line(self.columns.iter().map(|column| Cell::new(column.title))));
            tones.insert(0, Tone::Heading);
        }
        self.there = there;
        self.arrange(&mut table);
        for (line, tone) in table.lines().zip(tones) {
            writeln!(self.out, "{}", self.screen.paint(tone, line.trim_end()))?;
        }
        Ok(())
    }

    /// Returns the columns for which there is room.
    fn that_fit(&self, mut there: Vec<bool>) -> Vec<bool> {
        let Some(room) = self.screen.width else { return there };
        let Some((last, others)) = self.widths.split_last() else { return there };
        loop {
            let shown = others.iter().zip(&there).filter(|(_, there)| **there);
            let needed: u16 = shown.map(|(width, _)| width.saturating_add(GAP)).sum();
            let next = self.columns.iter().enumerate().filter(|(at, _)| there[*at]);
            let next = next.max_by_key(|(_, column)| column.gives_way);
            match next {
                Some((at, Column { gives_way: Some(_), .. }))
                    if needed.saturating_add((*last).min(WANTED)) > room =>
                {
                    there[at] = false;
                }
                _ => return there,
            }
        }
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
            // Cut at the width, not at the last blank before it.
            column.set_delimiter('\n');
        }
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // The width follows from the columns.
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
