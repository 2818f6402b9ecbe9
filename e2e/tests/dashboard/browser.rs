//! A browser on one site: pages, what is waited for on them, and screenshots of them.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use landfall_e2e::Outcome;

use crate::driver::{Driver, Refusal};

/// The standard has no way to be told of a page's change.
const PAUSE: Duration = Duration::from_millis(250);

/// Chromium without a screen.
pub struct Browser {
    driver: Driver,
    site: String,
    screenshots: PathBuf,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser that finds `host` at `address`.
    pub fn start(host: &str, address: &str) -> Result<Self, String> {
        let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
        let screenshots = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&screenshots).map_err(|error| error.to_string())?;
        eprintln!("screenshots: {}", screenshots.display());
        let fixed = [
            "--headless=new",
            // Root's Chromium has none; the pages are our own.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--lang=en",
            "--window-size=1400,1000",
        ];
        let own = [
            format!("--user-data-dir={}", profile.path().display()),
            format!("--host-resolver-rules=MAP {host} {address}"),
        ];
        let arguments: Vec<String> = fixed.map(str::to_owned).into_iter().chain(own).collect();
        let driver = Driver::start(&arguments)?;
        Ok(Self { driver, site: format!("http://{host}"), screenshots, _profile: profile })
    }

    /// A page of the site.
    pub fn go(&self, path: &str) -> Outcome {
        let url = format!("{}{path}", self.site);
        self.driver.go(&url).map_err(|refusal| format!("{url}: {}", refusal.text()))
    }

    /// The login form, filled in and sent.
    pub fn log_in(&self, password: &str) -> Outcome {
        let within = Duration::from_secs(30);
        self.go("/auth/login/")?;
        self.fill("#id_username", "admin", within)?;
        self.fill("#id_password", password, within)?;
        self.click("#loginBtn", within)
    }

    /// Waits for an element (by CSS) and gives its text.
    pub fn text(&self, css: &str, within: Duration) -> Result<String, String> {
        self.until(css, within, || self.driver.text(&self.driver.find(css)?))
    }

    pub fn click(&self, css: &str, within: Duration) -> Outcome {
        self.until(css, within, || self.driver.click(&self.driver.find(css)?))
    }

    pub fn fill(&self, css: &str, text: &str, within: Duration) -> Outcome {
        self.until(css, within, || self.driver.fill(&self.driver.find(css)?, text))
    }

    /// Waits until the page, which is loaded again and again, has no such element.
    pub fn gone(&self, css: &str, within: Duration) -> Outcome {
        let began = Instant::now();
        loop {
            match self.driver.find(css) {
                Err(Refusal::NotYet(_)) => return Ok(()),
                Err(other) => return Err(other.text()),
                Ok(_) if began.elapsed() > within => {
                    return Err(format!("{css} is still there after {within:?}"));
                }
                Ok(_) => sleep(PAUSE),
            }
            self.driver.refresh().map_err(Refusal::text)?;
        }
    }

    /// Keeps what is seen now as `<name>.png`.
    pub fn screenshot(&self, name: &str) -> Outcome {
        let image = self.driver.screenshot().map_err(Refusal::text)?;
        let image = STANDARD.decode(image).map_err(|error| error.to_string())?;
        let path = self.screenshots.join(format!("{name}.png"));
        std::fs::write(&path, image).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Tries until it works, for so long.
    fn until<T>(
        &self,
        css: &str,
        within: Duration,
        mut act: impl FnMut() -> Result<T, Refusal>,
    ) -> Result<T, String> {
        let began = Instant::now();
        loop {
            match act() {
                Ok(value) => return Ok(value),
                Err(Refusal::NotYet(_)) if began.elapsed() < within => sleep(PAUSE),
                Err(refusal) => {
                    // What was on the page instead.
                    let _ = self.screenshot("failed");
                    let at = self.driver.url().unwrap_or_else(Refusal::text);
                    return Err(format!("{css} at {at}: {} (see failed.png)", refusal.text()));
                }
            }
        }
    }
}
