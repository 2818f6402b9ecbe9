//! Decimal arithmetic for `addf` and its like: 0.1 + 0.2 is 0.3. Numbers beyond 38 digits fall back to
//! binary floats.

use gotmpl::Value;

use super::numbers::to_float64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
}

/// Digits behind the point that a division gives.
const DIVISION_DIGITS: i32 = 16;

/// Applies the operation to the first number and each of the others in turn.
pub fn fold(first: f64, rest: &[Value], op: Op) -> Value {
    let rest: Vec<f64> = rest.iter().map(to_float64).collect();
    let mut exact = Decimal::of(first);
    for number in &rest {
        exact = exact.zip(Decimal::of(*number)).and_then(|(a, b)| a.apply(b, op));
    }
    if let Some(result) = exact.and_then(Decimal::to_f64) {
        return Value::Float64(result);
    }
    Value::Float64(rest.iter().fold(first, |a, b| match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
    }))
}

/// `digits` times ten to the `exponent`.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    fn of(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, exponent: exponent.parse::<i32>().ok()? - fraction.len() as i32 })
    }

    fn scaled(self, exponent: i32) -> Option<i128> {
        let power = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10i128.checked_pow(power)?)
    }

    fn apply(self, other: Self, op: Op) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        match op {
            Op::Add => {
                Some(Self { digits: self.scaled(exponent)?.checked_add(other.scaled(exponent)?)?, exponent })
            }
            Op::Sub => {
                Some(Self { digits: self.scaled(exponent)?.checked_sub(other.scaled(exponent)?)?, exponent })
            }
            Op::Mul => Some(Self {
                digits: self.digits.checked_mul(other.digits)?,
                exponent: self.exponent + other.exponent,
            }),
            Op::Div => {
                let (above, below) = (self.scaled(exponent)?, other.scaled(exponent)?);
                if below == 0 {
                    return None;
                }
                // One digit more, to round the last half up.
                let above = above.checked_mul(10i128.checked_pow(DIVISION_DIGITS as u32 + 1)?)?;
                let digits = above / below;
                let rounded = (digits + if digits < 0 { -5 } else { 5 }) / 10;
                Some(Self { digits: rounded, exponent: -DIVISION_DIGITS })
            }
        }
    }

    fn to_f64(self) -> Option<f64> {
        format!("{}e{}", self.digits, self.exponent).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_add_up() {
        let sum = fold(0.1, &[Value::Float64(0.2)], Op::Add);
        assert_eq!(sum.as_f64(), Some(0.3));
        assert_eq!(fold(1.0, &[Value::Int(3)], Op::Div).as_f64(), Some(0.333_333_333_333_333_3));
        assert_eq!(fold(1.1, &[Value::Float64(1.1)], Op::Mul).as_f64(), Some(1.21));
    }
}
