//! Man pages of sections 5 and 7, converted from pages in `docs/`.
//!
//! Supports the Markdown that these pages use: headings, paragraphs, lists, examples and tables,
//! which become lists of terms.

use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::Path;

/// The name, section, source and description of each page.
const PAGES: [(&str, u8, &str, &str); 3] = [
    ("cachex-config.toml", 5, "config.md", "the configuration file of cachex"),
    ("cachex-key", 7, "key.md", "the cache key of cachex"),
    ("cachex-remotes", 7, "remote.md", "stores that machines share through cachex"),
];

/// Writes the pages to `folder`.
pub fn generate_to(docs: &Path, folder: &Path) -> Result<()> {
    for (name, section, source, about) in PAGES {
        let source = docs.join(source);
        let text = std::fs::read_to_string(&source)
            .with_context(|| format!("reading {}", source.display()))?;
        let page = folder.join(format!("{name}.{section}"));
        std::fs::write(&page, manual(name, section, about, &text))
            .with_context(|| format!("writing {}", page.display()))?;
    }
    Ok(())
}

fn manual(name: &str, section: u8, about: &str, markdown: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = String::from(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n");
    let name = escaped(name);
    let _ = writeln!(page, ".TH {name} {section} \"\" \"cachex {version}\"");
    let _ = write!(page, ".SH NAME\n{name} \\- {about}\n.SH DESCRIPTION\n");
    let mut lines = markdown.lines().peekable();
    // The headings of the current table's columns.
    let mut columns: Vec<String> = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(cells) = row(line) {
            if columns.is_empty() {
                columns = cells.iter().map(|cell| inline(cell)).collect();
                lines.next();
            } else {
                item_of_table(&mut page, &columns, &cells);
            }
            continue;
        }
        columns.clear();
        if let Some(heading) = line.strip_prefix("### ") {
            let _ = writeln!(page, ".SS {}", inline(heading));
        } else if let Some(heading) = line.strip_prefix("## ") {
            let _ = writeln!(page, ".SH {}", inline(&heading.to_uppercase()));
        } else if line.starts_with("```") {
            page.push_str(".PP\n.RS 4\n.nf\n");
            for line in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                let _ = writeln!(page, "{}", protected(&escaped(line)));
            }
            page.push_str(".fi\n.RE\n");
        } else if !line.is_empty() && !line.starts_with("# ") {
            let (beginning, first) = match line.split_once(' ') {
                Some(("-", rest)) => (".IP \\(bu 2".to_owned(), rest),
                Some((number, rest)) if is_number(number) => (format!(".IP {number} 3"), rest),
                _ => (".PP".to_owned(), line),
            };
            let mut text = first.to_owned();
            while let Some(next) = lines.next_if(|next| continues(next)) {
                text += " ";
                text += next.trim_start();
            }
            let _ = write!(page, "{beginning}\n{}\n", protected(&inline(&text)));
        }
    }
    page
}

fn is_number(word: &str) -> bool {
    word.strip_suffix('.').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns whether a line continues the paragraph or the item before it.
fn continues(line: &str) -> bool {
    let begins = |line: &str| {
        line.starts_with("- ") || line.split_once(' ').is_some_and(|(word, _)| is_number(word))
    };
    !line.is_empty() && !line.starts_with(['#', '|']) && !line.starts_with("```") && !begins(line)
}

/// Returns the cells of a table row.
fn row(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    // A literal vertical bar is written with a backslash.
    let inner = inner.replace("\\|", "\0");
    Some(inner.split('|').map(|cell| cell.trim().replace('\0', "|")).collect())
}

/// Formats a row as a term, the first cell, and its description.
fn item_of_table(page: &mut String, columns: &[String], cells: &[String]) {
    let _ = writeln!(page, ".TP\n{}", protected(&inline(&cells[0])));
    let rest = cells.iter().zip(columns).skip(1).filter(|(cell, _)| !cell.is_empty());
    let rest = rest.map(|(cell, column)| {
        let named = cells.len() > 2 && !column.is_empty();
        if named { format!("\\fI{column}\\fR: {}", inline(cell)) } else { inline(cell) }
    });
    let rest = rest.collect::<Vec<_>>().join(". ");
    let _ = writeln!(page, "{}", protected(&rest));
}

/// Converts emphasis and links in text.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(out, "\\fB{}\\fR", escaped(part));
            continue;
        }
        for (at, part) in part.split("**").enumerate() {
            let part = part.replace("&lt;", "<");
            // A single asterisk is emphasis; those in patterns are between backticks, and those that
            // roff needs come later.
            let pieces = part.split('*').map(escaped).enumerate();
            let mut part = pieces.fold(String::new(), |out, (at, piece)| match at % 2 {
                1 => out + "\\fI" + &piece + "\\fR",
                _ => out + &piece,
            });
            if at % 2 == 1 {
                part = format!("\\fB{part}\\fR");
            }
            out += &part;
        }
    }
    unlinked(&out)
}

/// Replaces links by their text, followed by the page or the address that they lead to.
fn unlinked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(shown, after)| {
            let (target, after) = after.split_once(')')?;
            (!shown.contains('[')).then_some((shown, target, after))
        });
        out += before;
        let Some((shown, target, after)) = link else {
            out.push('[');
            rest = after;
            continue;
        };
        out += shown;
        let file = target.split('#').next().unwrap_or_default();
        if let Some((name, section, ..)) = PAGES.iter().find(|(.., source, _)| *source == file) {
            let _ = write!(out, " (\\fB{}\\fR({section}))", escaped(name));
        } else if target.contains("://") {
            let _ = write!(out, " <{target}>");
        }
        rest = after;
    }
    out + rest
}

/// Escapes the characters that roff interprets.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\*(Aq")
}

/// Protects a line that begins like a roff request.
fn protected(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_apostrophe_is_no_emphasis() {
        let page = super::inline("the folder's path, *or* the repository's");
        assert_eq!(page, "the folder\\*(Aqs path, \\fIor\\fR the repository\\*(Aqs");
    }
}
