//! The processor, as far as a compiler can query it, for calls that build something for it alone.

use super::{LONGEST, short, text};

/// Options of compilers that mean the processor at hand, in lower case: Intel's, and those of
/// others that imply `native`.
const HOST: [&[u8]; 5] = [b"-xhost", b"-qxhost", b"/qxhost", b"-fast", b"-tp=host"];

/// Returns whether these words have something built for the processor at hand:
/// `-march=native`, `-mcpu native`, `-Ctarget-cpu=native`, `-xHost`.
pub fn is_meant<'w>(words: impl Iterator<Item = &'w [u8]>) -> bool {
    // A word may be a script, or a list of options.
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || b"\x1f'\"".contains(byte);
    let mut words = words.flat_map(|word| word.split(is_between)).filter(|word| !word.is_empty());
    let mut follows_option = false;
    words.any(|word| {
        let is_value = std::mem::replace(&mut follows_option, word.starts_with(b"-"));
        (is_value && word == b"native")
            || memchr::memmem::find(word, b"=native").is_some()
            || HOST.iter().any(|option| word.eq_ignore_ascii_case(option))
    })
}

/// Returns the properties of the processor that a compiler can query.
pub fn properties() -> String {
    let Some(told) = text("/proc/cpuinfo", LONGEST) else { return "unknown".to_owned() };
    let names = ["vendor_id", "cpu family", "model\t", "flags", "CPU ", "Features"];
    let first = told.split("\n\n").next().unwrap_or_default();
    let lines = first.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    short(&lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn options_for_the_processor_at_hand_are_known() {
        let is = |words: &[&str]| is_meant(words.iter().map(|word| word.as_bytes()));
        for words in [
            &["gcc", "-march=native"][..],
            &["clang", "-mcpu", "native", "x.c"],
            &["clang", "-mtune", "native"],
            &["rustc", "-Ctarget-cpu=native"],
            &["rustc", "-C", "target-cpu=native"],
            &["cargo", "--target-cpu=native"],
            &["zig", "--target-cpu", "native"],
            &["icx", "-xHost"],
            &["ifort", "-xHOST", "-O3"],
            &["-O3 -xHost"],
            &["-C opt-level=3 -C target-cpu=native"],
            &["-Copt-level=3\u{1f}-Ctarget-cpu=native"],
            &["sh", "-c", "cc -mcpu native x.c"],
            &["sh", "-c", "CFLAGS='-O2 -march=native' make"],
            &["sh", "-c", "make CFLAGS=\"-mcpu native\""],
        ] {
            assert!(is(words), "{words:?}");
        }
        for words in [
            &["gcc", "-march=x86-64-v3"][..],
            &["native"],
            &["make", "native"],
            &["-o", "native-image"],
            &["-xhosts"],
            &["--native"],
        ] {
            assert!(!is(words), "{words:?}");
        }
    }
}
