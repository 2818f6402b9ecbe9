//! Kubernetes quantities (`250m`, `1.5Gi`, `2e3`) as numbers, and the other way round for messages.

/// The value in base units (cores, bytes); none where the text is no quantity.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let scale = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        // Decimal exponent: `2e3`, `2E3`.
        exponent if exponent.starts_with(['e', 'E']) => return text.parse().ok(),
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|n| n * scale)
}

/// In the unit that people use for this resource: millicores, or MiB and GiB.
pub fn show(resource: &str, value: f64) -> String {
    match resource {
        "cpu" if value.fract().abs() < 1e-9 => format!("{value:.0}"),
        "cpu" => format!("{:.0}m", value * 1000.0),
        "memory" | "ephemeral-storage" if value >= 1024f64.powi(3) => trim(value / 1024f64.powi(3), "Gi"),
        "memory" | "ephemeral-storage" => trim(value / 1024f64.powi(2), "Mi"),
        _ => format!("{value:.0}"),
    }
}

fn trim(value: f64, unit: &str) -> String {
    let text = format!("{value:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quantities_mean_what_kubernetes_means() {
        for (text, value) in [
            ("250m", 0.25),
            ("2", 2.0),
            ("1.5", 1.5),
            ("128Mi", 134_217_728.0),
            ("1G", 1e9),
            ("2e3", 2000.0),
            ("1E", 1e18),
        ] {
            assert!((parse(text).unwrap() - value).abs() < 1e-6, "{text}");
        }
        for bad in ["", "abc", "1Q", "--1", "m"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn figures_are_shown_in_the_units_of_the_resource() {
        assert_eq!(show("cpu", 0.25), "250m");
        assert_eq!(show("cpu", 64.0), "64");
        assert_eq!(show("memory", 1.5 * 1024f64.powi(3)), "1.5Gi");
        assert_eq!(show("memory", 256.0 * 1024f64.powi(2)), "256Mi");
    }
}
