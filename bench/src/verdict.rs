//! Whether two engines agree on a chart. What two runs of Helm itself differ in (random text, keys, certificates,
//! times) is no difference, nor are the words of errors that are not a template's own.

use landfall_helm::HelmError;

/// What comes of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All bytes.
    Equal,
    /// All bytes but those that chance decides.
    EqualButChance,
    /// Both refuse, in the same words.
    SameWords(&'static str),
    /// Both refuse for the same class of reason.
    SameClass(&'static str),
    /// Both lack the same dependencies.
    Missing,
    Differs(String),
    /// Both refuse, for different reasons.
    OtherClass(String),
    OnlyHelmFails(String),
    OnlyWeFail(String),
}

impl Verdict {
    /// Whether the engines do not agree.
    pub fn is_bad(&self) -> bool {
        !matches!(
            self,
            Verdict::Equal
                | Verdict::EqualButChance
                | Verdict::SameWords(_)
                | Verdict::SameClass(_)
                | Verdict::Missing
        )
    }
}

/// What a rendering came to on our side: text, or the class of an error with its words.
pub type Ours = Result<Vec<u8>, (&'static str, String)>;

/// Asks Helm a further time.
pub type Again<'a> = dyn FnMut() -> crate::Result<Vec<u8>> + 'a;

/// How often Helm is asked before what differs from it counts: chance may have only a few choices.
const PATIENCE: usize = 8;

/// Compares; `again` is asked only where the texts differ.
pub fn compare(helm: &Result<Vec<u8>, String>, ours: &Ours, again: &mut Again<'_>) -> crate::Result<Verdict> {
    Ok(match (helm, ours) {
        (Ok(helm), Ok(ours)) if helm == ours => Verdict::Equal,
        (Ok(helm), Ok(ours)) => {
            let mut masked = Masked::new(helm, ours);
            for _ in 0..PATIENCE {
                masked.learn(&again()?);
                if masked.first_difference().is_none() {
                    return Ok(Verdict::EqualButChance);
                }
            }
            masked.first_difference().map_or(Verdict::EqualButChance, Verdict::Differs)
        }
        (Err(helm), Err((class, ours))) => {
            let theirs = class_of_words(helm);
            if theirs != *class {
                Verdict::OtherClass(format!("helm ({theirs}): {helm}\nours ({class}): {ours}"))
            } else if *class == MISSING {
                Verdict::Missing
            } else if helm == ours {
                Verdict::SameWords(class)
            } else {
                Verdict::SameClass(class)
            }
        }
        (Err(helm), Ok(_)) => Verdict::OnlyHelmFails(helm.clone()),
        (Ok(_), Err((class, ours))) => Verdict::OnlyWeFail(format!("({class}) {ours}")),
    })
}

const MISSING: &str = "dependency missing";

/// The class of one of Helm's errors, by its words.
fn class_of_words(words: &str) -> &'static str {
    let has = |text: &str| words.contains(text);
    if has("missing in charts/ directory") {
        MISSING
    } else if has("values don't meet the specifications") {
        "schema"
    } else if has("chart requires kubeVersion") {
        "kubeVersion"
    } else if words.starts_with("failed to parse ") {
        // A values file, which is no text of Helm's engine.
        "chart or values"
    } else if has("YAML parse error on") || has("error converting YAML to JSON") && has(".yaml: ") {
        "manifest"
    } else if has("parse error at (") || has("parse error in (") {
        "template parse"
    } else if has("execution error at (") || has("executing \"") || has("error calling ") {
        "template"
    } else {
        "chart or values"
    }
}

/// The class of one of our errors, and the words to compare.
pub fn class_of(error: &HelmError) -> (&'static str, String) {
    match error {
        HelmError::Template(error) => {
            let parse = error.message.starts_with("parse error");
            (if parse { "template parse" } else { "template" }, error.message.clone())
        }
        HelmError::Schema(_) => ("schema", error.to_string()),
        HelmError::KubeVersion { .. } => ("kubeVersion", error.to_string()),
        HelmError::Manifest { .. } => ("manifest", error.to_string()),
        HelmError::Chart { message, .. } if message.contains("missing in charts/ directory") => {
            (MISSING, message.clone())
        }
        _ => ("chart or values", error.to_string()),
    }
}

/// Two texts, less the lines that chance decides.
struct Masked {
    helm: Vec<Vec<u8>>,
    ours: Vec<Vec<u8>>,
    chance: Vec<bool>,
}

impl Masked {
    fn new(helm: &[u8], ours: &[u8]) -> Self {
        let helm = lines(helm);
        Self { chance: vec![false; helm.len()], ours: lines(ours), helm }
    }

    /// Another run of Helm's.
    fn learn(&mut self, other: &[u8]) {
        let other = lines(other);
        if other.len() == self.helm.len() {
            for (at, line) in other.iter().enumerate() {
                self.chance[at] |= *line != self.helm[at];
            }
        }
    }

    fn first_difference(&self) -> Option<String> {
        let show = |lines: &[Vec<u8>], at: usize| {
            lines.get(at).map_or("(nothing)".into(), |line| String::from_utf8_lossy(line).into_owned())
        };
        let source = |at: usize| {
            let above = self.helm[..at.min(self.helm.len())].iter().rev();
            above.map(|line| String::from_utf8_lossy(line)).find(|line| line.starts_with("# Source: "))
        };
        let until = self.helm.len().max(self.ours.len());
        (0..until)
            .find(|at| self.helm.get(*at) != self.ours.get(*at) && !self.chance.get(*at).is_some_and(|c| *c))
            .map(|at| {
                format!(
                    "line {} {}\nhelm: {}\nours: {}",
                    at + 1,
                    source(at).unwrap_or_default(),
                    show(&self.helm, at),
                    show(&self.ours, at)
                )
            })
    }
}

/// Lines of text, with a long run of base64 in many lines taken as one: a key's length in lines is chance.
fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut within = false;
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.to_vec();
        let inner = line.trim_ascii();
        let encoded =
            inner.len() >= 2 && inner.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b));
        match lines.last_mut() {
            Some(last) if within && encoded => last.extend(line),
            _ => lines.push(line),
        }
        let last = lines.last().map(Vec::as_slice).unwrap_or_default().trim_ascii();
        within = last.starts_with(b"-----BEGIN ") || within && encoded;
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn verdict(helm: &str, ours: &str, others: &[&str]) -> Verdict {
        let mut others = others.iter().cycle();
        let mut again = || Ok(others.next().map_or(helm, |other| *other).as_bytes().to_vec());
        compare(&Ok(helm.into()), &Ok(ours.into()), &mut again).unwrap()
    }

    #[test]
    fn what_helm_differs_from_itself_in_is_chance() {
        assert_eq!(verdict("a\nkey: x", "a\nkey: y", &["a\nkey: z"]), Verdict::EqualButChance);
        assert!(matches!(verdict("a\nkey: x", "b\nkey: y", &["a\nkey: z"]), Verdict::Differs(_)));
        assert!(matches!(verdict("a", "a\n", &["a"]), Verdict::Differs(_)));
    }

    #[test]
    fn keys_may_have_any_number_of_lines() {
        let key = |body: &str| format!("k: |\n  -----BEGIN KEY-----\n{body}\n  -----END KEY-----\nz: 1");
        let (one, two, three) = (key("  AAAA\n  BB=="), key("  CCCC"), key("  DDDD\n  EEEE\n  FF=="));
        assert_eq!(verdict(&one, &two, &[&three]), Verdict::EqualButChance);
    }

    #[test]
    fn errors_are_compared_by_class() {
        let helm = Err("execution error at (a/templates/x.yaml:1:3): no".to_owned());
        let mut never = || Err("not asked".to_owned());
        let mut of =
            |class, words: &str| compare(&helm, &Err((class, words.to_owned())), &mut never).unwrap();
        assert_eq!(of("template", "other"), Verdict::SameClass("template"));
        assert!(matches!(of("schema", "other"), Verdict::OtherClass(_)));
    }
}
