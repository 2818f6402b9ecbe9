//! OpenStack's own test suite: how it is told of a cloud, and what it says of each test. Plain data and text; who
//! carries it out is [`crate::cloud`].

use std::fmt::Write as _;

/// What Tempest must know of a cloud.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Keystone within the cluster, with its version: `http://keystone-api.openstack.svc.cluster.local:5000/v3`.
    pub keystone: String,
    pub region: String,
    pub image: String,
    pub flavor: String,
    /// Another one, for tests that change it.
    pub larger: String,
    pub external_network: String,
    /// Aliases of Neutron's extensions.
    pub extensions: Vec<String>,
    /// The type by which the catalog has volumes; none where the cloud has none.
    pub volumes: Option<String>,
    pub computes: usize,
}

/// `tempest.conf`. The password is in it: it belongs into a Secret.
pub fn config(subject: &Subject, password: &str) -> String {
    let mut text = String::new();
    let mut section = |name: &str, options: &[(&str, &str)]| {
        let _ = writeln!(text, "[{name}]");
        for (key, value) in options {
            let _ = writeln!(text, "{key} = {value}");
        }
        text.push('\n');
    };
    let several = if subject.computes > 1 { "true" } else { "false" };
    let volumes = if subject.volumes.is_some() { "true" } else { "false" };
    let volumes_type = subject.volumes.as_deref().unwrap_or("block-storage");
    let extensions = subject.extensions.join(",");
    let computes = subject.computes.to_string();
    section("DEFAULT", &[("log_dir", "/tmp/tempest"), ("log_file", "tempest.log"), ("use_stderr", "false")]);
    section("oslo_concurrency", &[("lock_path", "/tmp/tempest/locks")]);
    section(
        "auth",
        &[
            ("use_dynamic_credentials", "true"),
            ("admin_username", "admin"),
            ("admin_password", password),
            ("admin_project_name", "admin"),
            ("admin_domain_name", "Default"),
            ("tempest_roles", "member"),
        ],
    );
    section(
        "identity",
        &[
            ("auth_version", "v3"),
            ("uri_v3", &subject.keystone),
            ("region", &subject.region),
            ("v3_endpoint_type", "internal"),
            ("default_domain_id", "default"),
        ],
    );
    section(
        "service_available",
        &[
            ("cinder", volumes),
            ("glance", "true"),
            ("neutron", "true"),
            ("nova", "true"),
            ("swift", "false"),
            ("horizon", "false"),
        ],
    );
    section(
        "compute",
        &[
            ("endpoint_type", "internal"),
            ("image_ref", &subject.image),
            ("image_ref_alt", &subject.image),
            ("flavor_ref", &subject.flavor),
            ("flavor_ref_alt", &subject.larger),
            ("min_compute_nodes", &computes),
            // Servers of an emulated machine take their time.
            ("build_timeout", "400"),
        ],
    );
    section(
        "compute-feature-enabled",
        &[
            ("resize", several),
            ("cold_migration", several),
            ("live_migration", "false"),
            ("vnc_console", "true"),
            ("rescue", "false"),
        ],
    );
    section(
        "network",
        &[
            ("endpoint_type", "internal"),
            ("public_network_id", &subject.external_network),
            ("build_timeout", "300"),
        ],
    );
    section("network-feature-enabled", &[("api_extensions", &extensions), ("ipv6", "true")]);
    section("image", &[("endpoint_type", "internal"), ("build_timeout", "300")]);
    section(
        "volume",
        &[
            ("catalog_type", volumes_type),
            ("endpoint_type", "internal"),
            ("storage_protocol", "ceph"),
            ("build_timeout", "300"),
        ],
    );
    section("volume-feature-enabled", &[("backup", volumes)]);
    // The guest answers ping and HTTP; it has no account to log in to.
    section("validation", &[("run_validation", "false")]);
    text
}

/// The smoke set of these services, or the tests that `regex` names.
pub fn selection(regex: Option<&str>) -> String {
    regex.map_or_else(
        || r"^tempest\.api\.(identity|image|network|compute|volume)\..*\[.*\bsmoke\b.*\]".to_owned(),
        str::to_owned,
    )
}

/// Tests of the smoke set that expect what services no longer do, with the reason: left out of it, and told as
/// skipped.
const OUTDATED: [(&str, &str); 1] = [(
    "tempest.api.identity.admin.v3.test_credentials.CredentialsTestJSON.test_credentials_create_get_update_delete",
    "it changes a credential's type and project, which Keystone refuses since a security fix: its blob alone may change",
)];

/// What the smoke set leaves out, as skipped tests.
pub fn outdated() -> impl Iterator<Item = Test> {
    OUTDATED.iter().map(|(name, why)| Test {
        name: (*name).to_owned(),
        seconds: 0.0,
        verdict: Verdict::Skipped((*why).to_owned()),
        details: String::new(),
    })
}

/// Names the tests that the smoke set leaves out; those that `regex` names are all run.
pub fn exclusion(regex: Option<&str>) -> String {
    // Matches no name.
    const NONE: &str = "^$";
    match regex {
        Some(_) => NONE.to_owned(),
        None => OUTDATED.map(|(name, _)| name.replace('.', r"\.")).join("|"),
    }
}

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// With its reason.
    Skipped(String),
}

/// One test, as `tempest run` tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// `tempest.api.image.v2.test_images.ListImagesTest.test_index`, or a class whose set-up ended it.
    pub name: String,
    pub seconds: f64,
    pub verdict: Verdict,
    /// Of a failure: what stands below its line.
    pub details: String,
}

/// Reads the output of `tempest run` line by line.
#[derive(Debug, Default)]
pub struct Reader {
    pub tests: Vec<Test>,
    /// The last test failed: what comes now is its traceback.
    inside: bool,
}

impl Reader {
    /// The test that a line tells of.
    pub fn take(&mut self, line: &str) -> Option<&Test> {
        if let Some(test) = parse(line) {
            self.inside = test.verdict == Verdict::Failed;
            self.tests.push(test);
            return self.tests.last();
        }
        if line.starts_with("======") {
            self.inside = false;
        } else if let (true, Some(test)) = (self.inside, self.tests.last_mut()) {
            test.details.push_str(line.trim_end());
            test.details.push('\n');
        }
        None
    }
}

/// `{0} NAME [0.123s] ... ok`, as stestr writes it.
fn parse(line: &str) -> Option<Test> {
    let rest = line.strip_prefix('{')?;
    let (worker, rest) = rest.split_once("} ")?;
    worker.parse::<u32>().ok()?;
    let (what, verdict) = rest.rsplit_once(" ... ")?;
    let (name, seconds) = match what.rsplit_once(" [") {
        Some((name, time)) => (name, time.trim_end_matches("s]").parse().unwrap_or_default()),
        None => (what, 0.0),
    };
    // `setUpClass (CLASS)`: the class as a whole.
    let name = name.strip_prefix("setUpClass (").map_or(name, |class| class.trim_end_matches(')'));
    let name = name.split('[').next().unwrap_or(name).to_owned();
    let verdict = match verdict.trim() {
        "ok" => Verdict::Passed,
        "FAILED" => Verdict::Failed,
        skipped => {
            Verdict::Skipped(skipped.strip_prefix("SKIPPED")?.trim_start_matches([':', ' ']).to_owned())
        }
    };
    Some(Test { name, seconds, verdict, details: String::new() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OUTPUT: &str = "\
{0} tempest.api.identity.v3.test_api_discovery.TestApiDiscovery.test_api_media_types [0.054618s] ... ok
{1} setUpClass (tempest.api.volume.test_snapshot_metadata.SnapshotMetadataTestJSON) ... SKIPPED: no volumes
{0} tempest.api.network.test_networks.NetworksTest.test_list_networks[id-f7ffdeda,smoke] [1.25s] ... FAILED

Captured traceback:
~~~~~~~~~~~~~~~~~~~
    AssertionError: empty

{1} tempest.api.image.v2.test_images.ListImagesTest.test_index [0.1s] ... SKIPPED: Extension x not enabled.
======
Totals
======
Ran: 4 tests in 10.0000 sec.
";

    #[test]
    fn each_test_is_read_with_its_verdict() {
        let mut reader = Reader::default();
        let told = OUTPUT.lines().filter(|line| reader.take(line).is_some()).count();
        assert_eq!((told, reader.tests.len()), (4, 4));
        let verdicts: Vec<(&str, &Verdict)> =
            reader.tests.iter().map(|test| (test.name.rsplit('.').next().unwrap(), &test.verdict)).collect();
        assert_eq!(verdicts[0], ("test_api_media_types", &Verdict::Passed));
        assert_eq!(verdicts[1], ("SnapshotMetadataTestJSON", &Verdict::Skipped("no volumes".into())));
        assert_eq!(verdicts[2], ("test_list_networks", &Verdict::Failed));
        assert_eq!(verdicts[3].1, &Verdict::Skipped("Extension x not enabled.".into()));
        assert!(reader.tests[2].details.contains("AssertionError: empty"));
        assert!((reader.tests[2].seconds - 1.25).abs() < 1e-9);
    }

    #[test]
    fn other_lines_are_no_tests() {
        for line in ["", "{x} a ... ok", "{0} without an end", "Ran: 4 tests", "{0} a ... odd"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn what_the_cloud_has_is_told() {
        let subject = Subject {
            keystone: "http://k:5000/v3".into(),
            region: "RegionOne".into(),
            image: "i".into(),
            flavor: "f".into(),
            larger: "g".into(),
            external_network: "n".into(),
            extensions: vec!["router".into(), "security-group".into()],
            volumes: Some("volumev3".into()),
            computes: 1,
        };
        let text = config(&subject, "secret");
        assert!(
            text.contains("[auth]\nuse_dynamic_credentials = true\n")
                && text.contains("admin_password = secret\n")
        );
        assert!(
            text.contains("[service_available]\ncinder = true\n")
                && text.contains("catalog_type = volumev3\n")
        );
        assert!(
            text.contains("api_extensions = router,security-group\n") && text.contains("resize = false\n")
        );
        assert_eq!(selection(Some("x")), "x");
        assert_eq!(exclusion(Some("x")), "^$", "what is asked for by name is run");
        assert!(outdated().all(|test| exclusion(None).contains(&test.name.replace('.', r"\."))));
        assert!(selection(None).contains("smoke"));
    }
}
