//! Contents of files, each held once while it is in use: charts, and subcharts within them, bring the same library
//! charts. Who meets the same content again knows it by its address.

use std::sync::{Arc, LazyLock, Mutex};

use crate::generations::{GENERATION, Generations, locked};

/// Larger contents are not worth remembering.
const LARGEST: usize = GENERATION / 4;

/// Contents by themselves.
type Contents = Generations<Arc<[u8]>, Arc<[u8]>>;

static KEPT: LazyLock<Mutex<Contents>> = LazyLock::new(Mutex::default);

/// The content, as others hold it already.
pub fn shared(content: &[u8]) -> Arc<[u8]> {
    if content.len() > LARGEST {
        return content.into();
    }
    let mut kept = locked(&KEPT);
    kept.get(content).unwrap_or_else(|| {
        let data: Arc<[u8]> = content.into();
        kept.keep(Arc::clone(&data), Arc::clone(&data), data.len());
        data
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_contents_are_one_and_are_forgotten_in_the_end() {
        let first = shared(b"a template");
        assert!(Arc::ptr_eq(&first, &shared(b"a template")));
        for number in 0..9_u8 {
            shared(&vec![number; LARGEST]);
        }
        assert!(!Arc::ptr_eq(&first, &shared(b"a template")));
    }
}
