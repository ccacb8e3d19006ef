//! What is run: commands whose output is known without running them.

/// Reproducible chance: `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True so often in a hundred.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

/// A command, which a shell runs as `SCRIPT NAME OUT ERR STATUS STDIN`. What it
/// prints bears its name and the generation, which is no part of the key: of
/// two runs of one command it can be told which one is replayed.
pub const SCRIPT: &str = r#"
[ -z "$SOAK_ROOM" ] || mkdir "$SOAK_ROOM" || : >"$SOAK_ROOM.overlap"
: >"$SOAK_MARK"
echo "$1 $SOAK_GENERATION"
[ "$2" = 0 ] || seq -f "$1 $SOAK_GENERATION %.0f" "$2"
[ "$3" = 0 ] || seq -f "$1 err $SOAK_GENERATION %.0f" "$3" >&2
[ "$5" = 0 ] || cat
[ -z "$SOAK_ROOM" ] || { sleep 0.005; rmdir "$SOAK_ROOM"; }
exit "$4"
"#;

/// One command.
#[derive(Clone, Debug)]
pub struct Plan {
    pub name: String,
    /// Lines on standard output.
    pub out: u64,
    /// Lines on standard error.
    pub err: u64,
    pub status: i32,
    /// Bytes of standard input; none: `/dev/null`.
    pub stdin: Option<usize>,
    /// How long it may be replayed, in milliseconds.
    pub life: Option<u64>,
    pub no_concurrent: bool,
}

impl Plan {
    /// The one of this name: the same each time.
    pub fn of(name: String, seed: u64) -> Plan {
        let mut chance = Chance(
            name.bytes()
                .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        );
        let out = match chance.below(100) {
            0..70 => chance.below(20),
            70..85 => 200 + chance.below(800),
            85..95 => 5_000,
            95..99 => 30_000 + chance.below(30_000),
            _ => 300_000,
        };
        let err = match chance.below(10) {
            0..6 => 0,
            6..9 => chance.below(10),
            _ => 500,
        };
        let stdin = match chance.below(100) {
            0..60 => None,
            60..85 => Some(chance.below(200) as usize),
            85..98 => Some(100_000),
            _ => Some(2_000_000),
        };
        Plan {
            name,
            out,
            err,
            status: if chance.percent(85) { 0 } else { 1 + chance.below(120) as i32 },
            stdin,
            life: chance.percent(25).then(|| 1000 + chance.below(3000)),
            no_concurrent: chance.percent(30),
        }
    }

    /// The shell's arguments.
    pub fn argv(&self) -> Vec<String> {
        let numbers = [self.out, self.err, self.status as u64, u64::from(self.stdin.is_some())];
        let head = ["sh", "-c", SCRIPT, "soak", &self.name].map(str::to_owned);
        head.into_iter().chain(numbers.map(|number| number.to_string())).collect()
    }

    pub fn stdin(&self) -> Option<Vec<u8>> {
        let line = format!("input of {}\n", self.name);
        Some(line.bytes().cycle().take(self.stdin?).collect())
    }

    /// What a run of this generation prints on standard output.
    pub fn stdout(&self, generation: u64) -> Vec<u8> {
        let mut text = format!("{} {generation}\n", self.name);
        let prefix = text.trim_end().to_owned();
        lines(&mut text, &prefix, self.out);
        let mut bytes = text.into_bytes();
        bytes.extend(self.stdin().unwrap_or_default());
        bytes
    }

    /// And on standard error.
    pub fn stderr(&self, generation: u64) -> Vec<u8> {
        let mut text = String::new();
        lines(&mut text, &format!("{} err {generation}", self.name), self.err);
        text.into_bytes()
    }
}

fn lines(text: &mut String, prefix: &str, count: u64) {
    use std::fmt::Write;
    for number in 1..=count {
        let _ = writeln!(text, "{prefix} {number}");
    }
}
