//! JSON output of the verbs: exact, and harmless on a terminal.

use anyhow::Result;
use cachex_base::text::quote::is_harmless;
use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Writes an object as a line of JSON.
pub fn json(out: &mut dyn Write, object: &impl Serialize) -> Result<()> {
    write(out, object)?;
    Ok(out.write_all(b"\n")?)
}

/// A JSON array that is written object by object, one per line.
pub struct JsonArray<'a> {
    out: &'a mut dyn Write,
    any: bool,
}

impl<'a> JsonArray<'a> {
    /// Creates an empty array.
    pub fn new(out: &'a mut dyn Write) -> JsonArray<'a> {
        JsonArray { out, any: false }
    }

    /// Adds an object.
    pub fn item(&mut self, item: &impl Serialize) -> Result<()> {
        self.out.write_all(if self.any { b",\n" } else { b"[\n" })?;
        self.any = true;
        write(self.out, item)
    }

    /// Ends the array.
    pub fn finish(self) -> Result<()> {
        Ok(self.out.write_all(if self.any { b"\n]\n" } else { b"[]\n" })?)
    }
}

fn write(out: &mut dyn Write, object: &impl Serialize) -> Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Harmless);
    Ok(object.serialize(&mut serializer).map_err(io::Error::from)?)
}

/// Escapes characters that steer a terminal or are invisible, as in `\u009b`.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if is_harmless(text) {
            return out.write_all(text.as_bytes());
        }
        for c in text.chars() {
            let mut utf8 = [0; 4];
            let plain = c.encode_utf8(&mut utf8);
            if is_harmless(plain) {
                out.write_all(plain.as_bytes())?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}
