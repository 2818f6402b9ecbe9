//! Makes a case's input from its number: a good input, changed in a few places.

/// Words that meet special treatment somewhere.
const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{/*",
    "*/}}",
    "(",
    ")",
    "|",
    "$",
    ".",
    "\"",
    "`",
    "'",
    "\\",
    "\n",
    "\t",
    "\r\n",
    "\0",
    "{{end}}",
    "{{else}}",
    "{{range .}}",
    "{{with $}}",
    "{{define \"a\"}}",
    "{{template \"a\" .}}",
    "{{break}}",
    "include \"a\" .",
    "tpl \"{{.}}\" .",
    "until 999999999",
    "repeat 999999999 \"a\"",
    "printf \"%9999999d\" 1",
    "nil",
    ".Values",
    "$.x.y",
    "index . 0",
    "slice . 9",
    "dict",
    "list 1 2",
    "set . \"a\" .",
    "toYaml",
    "fromYaml",
    "mustMerge",
    "&a",
    "*a",
    "<<: ",
    "!!str ",
    "!!binary ",
    "? ",
    ": ",
    "- ",
    "|",
    ">",
    "|+9",
    "---",
    "...",
    "%YAML 1.2\n",
    "# ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "[0]",
    "[999999999]",
    "[-1]",
    "=",
    "null",
    "true",
    "~",
    "0x1f",
    "1e999",
    "-0.0",
    ".inf",
    "9223372036854775808",
    "1.2.3",
    "v1",
    ">=",
    "^",
    "~",
    "||",
    " - ",
    "x",
    "*",
    "-rc.1",
    "+build",
    "é",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "𝕏",
];

pub struct Mutator {
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new(seeds: Vec<Vec<u8>>) -> Self {
        Self { seeds }
    }

    /// The input of a case, the same each time.
    pub fn input(&self, case: u64) -> Vec<u8> {
        let mut dice = Dice::new(case);
        let mut input = self.seeds[dice.roll(self.seeds.len())].clone();
        for _ in 0..=dice.roll(8) {
            self.change(&mut input, &mut dice);
        }
        input.truncate(1 << 16);
        input
    }

    fn change(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.roll(input.len() + 1);
        let end = (at + 1 + dice.roll(16)).min(input.len());
        match dice.roll(8) {
            0 if at < input.len() => input[at] ^= 1 << dice.roll(8),
            1 if at < end => drop(input.drain(at..end)),
            2 if at < end => {
                let piece = input[at..end].to_vec();
                let times = 1 + dice.roll(40);
                let repeated = piece.repeat(times);
                input.splice(at..at, repeated);
            }
            3 => {
                // The end of another good input behind the beginning of this one.
                let other = &self.seeds[dice.roll(self.seeds.len())];
                input.truncate(at);
                input.extend_from_slice(&other[dice.roll(other.len() + 1)..]);
            }
            4 if at < input.len() => input[at] = u8::try_from(dice.roll(256)).unwrap_or(0),
            5 => {
                let word = WORDS[dice.roll(WORDS.len())];
                let times = [1, 1, 1, 2, 50, 2_000][dice.roll(6)];
                input.splice(at..at, word.repeat(times).into_bytes());
            }
            _ => {
                let word = WORDS[dice.roll(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
        }
    }
}

/// Numbers by chance, the same ones for the same case (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(case: u64) -> Self {
        Self(case.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides.max(1) as u64) as usize
    }
}
