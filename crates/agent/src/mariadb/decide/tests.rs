#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use super::*;

const NOW: &str = "2026-01-01T00:10:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn name(n: usize) -> String {
    format!("mariadb-server-{n}")
}

fn empty() -> Member {
    Member { sampled: Some(now()), ..Member::default() }
}

fn with_data(seqno: Option<i64>) -> Member {
    Member { data: true, uuid: Some("cluster-a".into()), seqno, ..empty() }
}

fn shared(state: ClusterState, members: &[Member]) -> Shared {
    Shared {
        state,
        leader: name(0),
        leader_expiry: Some(now() + SignedDuration::from_secs(30)),
        reboot_node: None,
        bootstrap_from: None,
        members: members.iter().enumerate().map(|(n, m)| (name(n), m.clone())).collect(),
    }
}

/// The decision of member `me` of `of`, whose own word is in `shared` or empty.
fn of(me: usize, of: usize, shared: Option<&Shared>, reachable: &[usize]) -> Decision {
    let names: Vec<String> = (0..of).map(name).collect();
    let own = shared.and_then(|s| s.members.get(&name(me)).cloned()).unwrap_or_else(empty);
    let reachable: BTreeSet<String> = reachable.iter().map(|n| name(*n)).collect();
    decide(&View {
        me: &name(me),
        members: &names,
        shared,
        own: &own,
        reachable: &reachable,
        ephemeral: false,
        now: now(),
    })
}

fn waits(decision: &Decision, word: &str) -> bool {
    matches!(decision, Decision::Wait(why) if why.contains(word))
}

#[test]
fn one_server_makes_its_database_and_starts_with_it_ever_after() {
    assert_eq!(of(0, 1, None, &[]), Decision::Claim(ClusterState::New));
    assert_eq!(
        of(0, 1, Some(&shared(ClusterState::New, &[empty()])), &[]),
        Decision::Claim(ClusterState::Init)
    );
    assert_eq!(of(0, 1, Some(&shared(ClusterState::Init, &[empty()])), &[]), Decision::Bootstrap);
    assert_eq!(of(0, 1, Some(&shared(ClusterState::Live, &[with_data(None)])), &[]), Decision::Single);
    assert_eq!(of(0, 1, Some(&shared(ClusterState::Reboot, &[with_data(None)])), &[]), Decision::Single);
}

#[test]
fn a_database_that_was_made_is_never_made_again() {
    assert_eq!(of(0, 1, Some(&shared(ClusterState::Init, &[with_data(None)])), &[]), Decision::Single);
    assert_eq!(of(0, 3, Some(&shared(ClusterState::Init, &[with_data(None)])), &[]), Decision::Found);
}

#[test]
fn an_empty_volume_of_a_live_database_is_refused_unless_it_was_meant_so() {
    let live = shared(ClusterState::Live, &[empty()]);
    assert!(matches!(of(0, 1, Some(&live), &[]), Decision::Refuse(_)));
    let names = [name(0)];
    let own = empty();
    let view = View {
        me: &names[0],
        members: &names,
        shared: Some(&live),
        own: &own,
        reachable: &BTreeSet::new(),
        ephemeral: true,
        now: now(),
    };
    assert_eq!(decide(&view), Decision::Claim(ClusterState::Init));
}

#[test]
fn a_lost_config_map_does_not_make_old_data_new() {
    let own = with_data(Some(3));
    let names = [name(0)];
    let view = View {
        me: &names[0],
        members: &names,
        shared: None,
        own: &own,
        reachable: &BTreeSet::new(),
        ephemeral: false,
        now: now(),
    };
    assert_eq!(decide(&view), Decision::Claim(ClusterState::Live));
    // The one with an empty volume wrote `new` first: it must not begin, for another holds data.
    let three = shared(ClusterState::New, &[empty(), with_data(Some(3)), empty()]);
    assert_eq!(of(0, 3, Some(&three), &[]), Decision::Claim(ClusterState::Live));
}

#[test]
fn a_new_cluster_begins_only_when_all_have_said_that_they_are_empty() {
    let two = shared(ClusterState::New, &[empty(), empty()]);
    assert!(waits(&of(0, 3, Some(&two), &[]), "mariadb-server-2"));
    let three = shared(ClusterState::New, &[empty(), empty(), empty()]);
    assert_eq!(of(0, 3, Some(&three), &[]), Decision::Claim(ClusterState::Init));
    assert!(waits(&of(1, 3, Some(&three), &[]), "mariadb-server-0"));
    let mut stale = three;
    stale.members.get_mut(&name(2)).unwrap().sampled = Some(now() - SILENT - SignedDuration::from_secs(1));
    assert!(waits(&of(0, 3, Some(&stale), &[]), "mariadb-server-2"), "an old word is none");
}

#[test]
fn while_one_makes_the_database_the_others_wait_and_take_over_only_when_it_is_gone() {
    let mut init = shared(ClusterState::Init, &[empty(), empty(), empty()]);
    assert_eq!(of(0, 3, Some(&init), &[]), Decision::Bootstrap);
    assert!(waits(&of(1, 3, Some(&init), &[]), "mariadb-server-0"));
    init.leader_expiry = Some(now() - SignedDuration::from_secs(1));
    assert!(waits(&of(1, 3, Some(&init), &[]), "mariadb-server-0"), "it still speaks");
    init.members.remove(&name(0));
    assert_eq!(of(1, 3, Some(&init), &[]), Decision::Claim(ClusterState::Init));
    assert!(waits(&of(2, 3, Some(&init), &[]), "mariadb-server-0"), "only the first of those left");
}

#[test]
fn a_member_joins_those_that_run_and_answer() {
    let running = Member { phase: Phase::Running, ..with_data(None) };
    let live = shared(ClusterState::Live, &[running.clone(), empty(), empty()]);
    assert_eq!(of(1, 3, Some(&live), &[0]), Decision::Join);
    assert!(!matches!(of(1, 3, Some(&live), &[]), Decision::Join), "its word alone is not enough");
    let claims = shared(ClusterState::Live, &[with_data(Some(1)), empty(), empty()]);
    assert!(!matches!(of(1, 3, Some(&claims), &[0]), Decision::Join), "an open port alone is not enough");
}

#[test]
fn after_total_loss_the_newest_data_goes_first() {
    let lost = shared(ClusterState::Live, &[with_data(Some(41)), with_data(Some(57)), with_data(Some(57))]);
    assert!(waits(&of(0, 3, Some(&lost), &[]), "mariadb-server-1"));
    assert_eq!(of(1, 3, Some(&lost), &[]), Decision::Claim(ClusterState::Reboot), "of equals the first");
    assert!(waits(&of(2, 3, Some(&lost), &[]), "mariadb-server-1"));
    let crashed = shared(ClusterState::Live, &[with_data(None), with_data(Some(57)), with_data(Some(3))]);
    assert_eq!(of(0, 3, Some(&crashed), &[]), Decision::Recover);
    assert!(waits(&of(1, 3, Some(&crashed), &[]), "mariadb-server-0 to find out"));
    let silent = shared(ClusterState::Live, &[with_data(Some(41)), with_data(Some(57))]);
    assert!(waits(&of(1, 3, Some(&silent), &[]), "mariadb-server-2"), "it may hold more");
}

#[test]
fn the_word_of_one_that_was_starting_or_running_says_nothing_of_its_data() {
    for phase in [Phase::Starting, Phase::Running] {
        let other = Member { phase, ..with_data(Some(3)) };
        let lost = shared(ClusterState::Live, &[with_data(Some(41)), other, with_data(Some(5))]);
        assert!(waits(&of(0, 3, Some(&lost), &[]), "mariadb-server-1"));
    }
}

#[test]
fn the_last_to_leave_in_order_need_not_wait() {
    let last = Member { safe_to_bootstrap: true, ..with_data(Some(60)) };
    let lost = shared(ClusterState::Live, &[with_data(Some(41)), last]);
    assert_eq!(of(1, 3, Some(&lost), &[]), Decision::Claim(ClusterState::Reboot));
}

#[test]
fn data_written_by_one_server_alone_is_newer_than_any_position() {
    let alone = Member { alone: true, uuid: None, seqno: None, ..with_data(None) };
    let vouched = Member { safe_to_bootstrap: true, ..with_data(Some(99)) };
    let grown = shared(ClusterState::Live, &[alone, vouched, empty()]);
    assert_eq!(of(0, 3, Some(&grown), &[]), Decision::Claim(ClusterState::Reboot));
    assert!(waits(&of(1, 3, Some(&grown), &[]), "mariadb-server-0"));
}

#[test]
fn members_of_different_clusters_are_for_a_person_to_sort_out() {
    let other = Member { uuid: Some("cluster-b".into()), ..with_data(Some(999)) };
    let mut lost = shared(ClusterState::Live, &[with_data(Some(41)), other, with_data(Some(5))]);
    assert!(matches!(of(1, 3, Some(&lost), &[]), Decision::Refuse(_)));
    lost.bootstrap_from = Some(name(0));
    assert_eq!(of(0, 3, Some(&lost), &[]), Decision::Claim(ClusterState::Reboot));
    assert!(waits(&of(1, 3, Some(&lost), &[]), "a person chose"));
}

#[test]
fn the_one_that_brings_the_cluster_back_is_resumed_waited_for_or_replaced_by_its_equal() {
    let mut back =
        shared(ClusterState::Reboot, &[with_data(Some(41)), with_data(Some(57)), with_data(Some(57))]);
    back.reboot_node = Some(name(1));
    assert_eq!(of(1, 3, Some(&back), &[]), Decision::Found, "again after a crash");
    assert!(waits(&of(0, 3, Some(&back), &[]), "mariadb-server-1"));
    // It is gone for good.
    back.leader_expiry = Some(now() - SignedDuration::from_secs(1));
    back.members.get_mut(&name(1)).unwrap().sampled = Some(now() - SignedDuration::from_secs(600));
    assert!(waits(&of(0, 3, Some(&back), &[]), "bootstrap-from"), "older data needs a person");
    assert_eq!(
        of(2, 3, Some(&back), &[]),
        Decision::Claim(ClusterState::Reboot),
        "the same position loses nothing"
    );
    back.bootstrap_from = Some(name(0));
    assert_eq!(of(0, 3, Some(&back), &[]), Decision::Claim(ClusterState::Reboot));
}

/// Three members with volumes, one ConfigMap with versions. Steps of the members interleave at random, reads
/// and writes apart, so that claims race; pods die at any moment and volumes keep what was committed.
mod race {
    use super::*;

    struct Pod {
        /// What it read last, and when.
        read: Option<(Option<Shared>, u64)>,
        running: bool,
        volume: Member,
    }

    struct Model {
        map: Option<Shared>,
        version: u64,
        pods: Vec<Pod>,
        clock: Timestamp,
        /// The highest position that was ever committed.
        committed: i64,
        begun: usize,
        seed: u64,
    }

    impl Model {
        fn new(seed: u64) -> Self {
            let pods =
                (0..3).map(|_| Pod { read: None, running: false, volume: Member::default() }).collect();
            Self { map: None, version: 0, pods, clock: now(), committed: 0, begun: 0, seed }
        }

        fn random(&mut self, below: u64) -> u64 {
            // xorshift: the same race for the same seed.
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 7;
            self.seed ^= self.seed << 17;
            self.seed % below
        }

        fn publish(&mut self, n: usize, phase: Phase) {
            let member = Member { sampled: Some(self.clock), phase, ..self.pods[n].volume.clone() };
            if let Some(map) = &mut self.map {
                map.members.insert(name(n), member);
                self.version += 1;
            }
        }

        fn write(&mut self, n: usize, expected: u64, state: ClusterState) {
            if self.version != expected {
                return;
            }
            let members: BTreeMap<String, Member> =
                self.map.as_ref().map(|m| m.members.clone()).unwrap_or_default();
            self.map = Some(Shared {
                state,
                leader: name(n),
                leader_expiry: Some(self.clock + SignedDuration::from_secs(60)),
                reboot_node: (state == ClusterState::Reboot).then(|| name(n)),
                bootstrap_from: None,
                members,
            });
            self.version += 1;
        }

        fn others_run(&self, n: usize) -> BTreeSet<String> {
            (0..3).filter(|o| *o != n && self.pods[*o].running).map(name).collect()
        }

        fn begin(&mut self, n: usize) {
            assert!(self.others_run(n).is_empty(), "seed: a second cluster was begun beside a running one");
            assert!(
                self.committed == 0
                    || self.pods[n].volume.seqno.or(self.pods[n]
                        .volume
                        .uuid
                        .as_ref()
                        .map(|_| self.committed))
                        == Some(self.committed),
                "a cluster was begun without the newest data: {:?} of {}",
                self.pods[n].volume,
                self.committed
            );
            self.begun += 1;
            if self.pods[n].volume.uuid.is_none() {
                self.pods[n].volume =
                    Member { data: true, uuid: Some("cluster-a".into()), ..Member::default() };
                self.committed = 1;
            }
            self.pods[n].volume.seqno = None;
            self.pods[n].running = true;
        }

        fn step(&mut self) {
            let passed = self.random(900) as i64;
            self.clock += SignedDuration::from_millis(passed);
            let n = self.random(3) as usize;
            if self.pods[n].running {
                match self.random(20) {
                    // A transaction reaches all that run.
                    0..12 => self.committed += 1,
                    12..19 => {
                        self.publish(n, Phase::Running);
                        let version = self.version;
                        if self.map.as_ref().is_some_and(|m| m.state != ClusterState::Live) {
                            self.write(n, version, ClusterState::Live);
                        }
                    }
                    _ => self.die(n),
                }
                return;
            }
            if self.random(60) == 0 {
                // All power is lost at once.
                for n in 0..3 {
                    self.die(n);
                }
            }
            if self.random(2) == 0 || self.pods[n].read.is_none() {
                self.publish(n, Phase::Waiting);
                self.pods[n].read = Some((self.map.clone(), self.version));
                return;
            }
            let (shared, version) = self.pods[n].read.take().unwrap();
            let names: Vec<String> = (0..3).map(name).collect();
            let own = Member { sampled: Some(self.clock), ..self.pods[n].volume.clone() };
            let reachable = self.others_run(n);
            let view = View {
                me: &name(n),
                members: &names,
                shared: shared.as_ref(),
                own: &own,
                reachable: &reachable,
                ephemeral: false,
                now: self.clock,
            };
            match decide(&view) {
                Decision::Claim(state) => self.write(n, version, state),
                Decision::Recover => self.pods[n].volume.seqno = Some(self.position(n)),
                Decision::Bootstrap | Decision::Found => {
                    if self.version == version {
                        self.publish(n, Phase::Starting);
                        self.begin(n);
                    }
                }
                Decision::Join => {
                    self.publish(n, Phase::Starting);
                    if !self.others_run(n).is_empty() {
                        self.pods[n].volume = Member {
                            data: true,
                            uuid: Some("cluster-a".into()),
                            seqno: None,
                            ..Member::default()
                        };
                        self.pods[n].running = true;
                        POSITIONS.with_borrow_mut(|p| p.remove(&n));
                    }
                }
                Decision::Single => unreachable!("three members"),
                Decision::Wait(_) => {}
                Decision::Refuse(why) => panic!("nobody should be refused here: {why}"),
            }
        }

        fn die(&mut self, n: usize) {
            self.pods[n].read = None;
            if std::mem::take(&mut self.pods[n].running) {
                // What it held when it died.
                let at = self.committed;
                POSITIONS.with_borrow_mut(|p| p.insert(n, at));
                self.pods[n].volume.seqno = None;
            }
        }

        fn position(&self, n: usize) -> i64 {
            POSITIONS.with_borrow(|p| p.get(&n).copied()).unwrap_or(self.committed)
        }
    }

    thread_local! {
        static POSITIONS: std::cell::RefCell<BTreeMap<usize, i64>> = const { std::cell::RefCell::new(BTreeMap::new()) };
    }

    #[test]
    fn never_two_clusters_and_never_older_data_whatever_the_order() {
        let mut begun = 0;
        for seed in 1..2000_u64 {
            POSITIONS.with_borrow_mut(BTreeMap::clear);
            let mut model = Model::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            for _ in 0..600 {
                model.step();
            }
            begun += model.begun;
        }
        assert!(begun > 3000, "the race must get somewhere: {begun}");
    }

    /// Both read the same version, both may go first, both write: one wins, the other sees it and waits.
    #[test]
    fn of_two_that_claim_at_once_one_wins() {
        let lost = shared(
            ClusterState::Live,
            &[
                Member { safe_to_bootstrap: true, ..with_data(Some(60)) },
                Member { safe_to_bootstrap: true, ..with_data(Some(60)) },
            ],
        );
        let mut model = Model::new(7);
        model.map = Some(lost.clone());
        for n in [0, 1] {
            assert_eq!(of(n, 3, Some(&lost), &[]), Decision::Claim(ClusterState::Reboot));
        }
        model.write(1, 0, ClusterState::Reboot);
        model.write(0, 0, ClusterState::Reboot);
        let map = model.map.unwrap();
        assert_eq!(map.reboot_node, Some(name(1)));
        assert_eq!(of(1, 3, Some(&map), &[]), Decision::Found);
        assert!(waits(&of(0, 3, Some(&map), &[]), "mariadb-server-1"));
    }
}

#[test]
fn a_member_without_a_quorum_gives_up_only_where_nobody_else_runs() {
    let running = Member { phase: Phase::Running, ..with_data(Some(7)) };
    let lost = Member { phase: Phase::Stopped, sampled: None, ..empty() };
    let joins = Member { phase: Phase::Starting, ..empty() };
    let gives_up = |other: &Member, seconds: i64| {
        let all = shared(ClusterState::Live, &[running.clone(), lost.clone(), other.clone()]);
        super::gives_up(&name(0), &all, now() - SignedDuration::from_secs(seconds), now())
    };
    assert!(gives_up(&joins, 60), "those that try to join are no quorum");
    assert!(!gives_up(&joins, 59), "Galera may mend it yet");
    assert!(!gives_up(&running, 600), "two may find each other");
    let silent = Member { sampled: Some(now() - SILENT - SignedDuration::from_secs(1)), ..running.clone() };
    assert!(gives_up(&silent, 600), "it ran once");
}
