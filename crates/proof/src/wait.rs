//! Waiting for an API whose state can not be watched: Nova, Cinder and Glance tell of a change only to who asks again.

use std::time::Duration;

use landfall_openstack::Error;
use tokio::time::{Instant, sleep};

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);

/// What one look showed.
pub(crate) enum Look<T> {
    Is(T),
    /// In words, for who waits.
    NotYet(String),
    /// Looking again shows the same.
    Never(String),
}

/// Told what a step waits for; sent at each look.
pub type Waits<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Looks until it is so, soon at first, then every other second.
///
/// # Errors
/// What was seen last, where `limit` is over; what can never be.
pub(crate) async fn until<T, F>(
    waits: Waits<'_>,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, String>
where
    F: Future<Output = Look<T>> + Send,
{
    let deadline = Instant::now() + limit;
    let mut pause = FIRST;
    loop {
        let seen = match look().await {
            Look::Is(value) => return Ok(value),
            Look::Never(why) => return Err(why),
            Look::NotYet(seen) => seen,
        };
        if Instant::now() + pause > deadline {
            return Err(format!("{seen} (after {} s)", limit.as_secs()));
        }
        waits(&seen);
        sleep(pause).await;
        pause = pause.mul_f32(1.5).min(LONGEST);
    }
}

/// An answer that is no answer: absence may end, all else is final.
pub(crate) fn refused<T>(error: &Error) -> Look<T> {
    if error.is_absence() { Look::NotYet(error.to_string()) } else { Look::Never(error.to_string()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_yet_is_looked_at_again_until_the_limit() {
        let looks = Cell::new(0);
        let found = until(&|_| {}, Duration::from_mins(1), || {
            looks.set(looks.get() + 1);
            let count = looks.get();
            async move { if count == 4 { Look::Is(count) } else { Look::NotYet("BUILD".into()) } }
        })
        .await;
        assert_eq!(found, Ok(4));
        let told =
            until::<(), _>(&|_| {}, Duration::from_secs(5), || async { Look::NotYet("BUILD".into()) }).await;
        assert_eq!(told.unwrap_err(), "BUILD (after 5 s)");
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_never_be_ends_at_once() {
        let began = Instant::now();
        let told =
            until::<(), _>(&|_| {}, Duration::from_mins(1), || async { Look::Never("ERROR".into()) }).await;
        assert_eq!(told.unwrap_err(), "ERROR");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
