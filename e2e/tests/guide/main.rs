//! The guide as a whole on one node: thirteen steps from nothing, and what they must outlast.
//! `--long` adds the scenarios that take many minutes.

mod broken;
mod ceph;
mod disks;
mod proof;
mod steps;
mod survives;

use std::process::ExitCode;

use landfall_e2e::{Scenario, World, main_in};

const SHORT: &[Scenario<World>] = &[
    Scenario { name: "from_nothing_to_thirteen_check_points", run: steps::from_nothing },
    Scenario { name: "the_guides_steps_are_shown_as_done", run: steps::guide_status },
    Scenario { name: "up_again_changes_nothing", run: steps::up_again },
    Scenario { name: "real_helm_lists_every_release", run: steps::helm_list },
    Scenario { name: "glance_reads_images_after_its_monitors_moved", run: survives::monitor_moved },
    Scenario { name: "an_open_vswitch_restart_heals_by_itself", run: survives::openvswitch_restarted },
    Scenario { name: "a_services_key_is_refused_on_anothers_pool", run: ceph::key_of_another_refused },
    Scenario { name: "broken_start_no_compute_label", run: broken::no_label },
    Scenario { name: "broken_start_pool_missing", run: broken::pool_missing },
    Scenario { name: "broken_start_wrong_key_caps", run: broken::wrong_caps },
    Scenario { name: "broken_start_port_taken", run: broken::port_taken },
];

const LONG: &[Scenario<World>] = &[
    Scenario { name: "the_proof_of_the_whole_cloud_holds", run: proof::holds },
    Scenario { name: "an_interrupted_proof_is_cleaned_up_after", run: proof::interrupted },
    Scenario { name: "openstacks_own_smoke_tests_pass", run: proof::smoke },
    Scenario { name: "servers_disks_lie_in_ceph_where_that_is_asked_for", run: disks::in_ceph },
    Scenario { name: "each_ceph_daemon_deleted_once_keeps_its_data", run: ceph::every_daemon_deleted },
    Scenario { name: "rooks_operator_is_asked_by_its_resources", run: ceph::operator_asked },
    Scenario { name: "broken_start_monitor_down", run: broken::monitor_down },
    Scenario { name: "broken_start_no_open_vswitch", run: broken::no_socket },
    Scenario { name: "broken_start_kvm_asked_for_but_absent", run: broken::kvm_absent },
    Scenario { name: "broken_start_wrong_message_password", run: broken::wrong_amqp_password },
    Scenario { name: "broken_start_wrong_database_password", run: broken::wrong_db_password },
    Scenario { name: "broken_start_no_memory", run: broken::no_memory },
    Scenario { name: "every_pod_deleted_once_comes_back_without_a_hand", run: survives::every_pod_deleted },
    Scenario { name: "killed_at_random_moments_it_ends_in_the_same_state", run: survives::killed },
    Scenario { name: "real_helm_installs_glance_alone", run: steps::helm_installs_glance },
];

fn main() -> ExitCode {
    let long = std::env::args().any(|argument| argument == "--long");
    let scenarios = if long { [SHORT, LONG].concat() } else { SHORT.to_vec() };
    main_in(|| World::new("guide", "10.90.1.0/24", "1", &[]), &scenarios, |world| world.remove())
}
