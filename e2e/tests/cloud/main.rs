//! A cloud on the embedded cluster, and what may happen to it.

mod broken;
mod cloud_world;
mod killed;
mod lasting;
mod looking;

use std::process::ExitCode;

use landfall_e2e::{Scenario, World, main_in};

fn main() -> ExitCode {
    main_in(
        || World::new("e2e", "10.90.0.0/24", "1", &["mariadb", "rabbitmq", "memcached", "keystone"]),
        &[
            Scenario { name: "from_nothing_to_a_verified_keystone", run: cloud_world::from_nothing },
            Scenario { name: "the_service_list_through_the_ingress", run: cloud_world::service_list },
            Scenario { name: "up_again_changes_nothing_and_says_so", run: cloud_world::up_again },
            Scenario { name: "real_helm_lists_our_releases_as_deployed", run: cloud_world::helm_list },
            Scenario { name: "verbs_that_look_find_nothing_amiss", run: looking::of_a_cloud_that_is_well },
            Scenario { name: "a_plan_says_which_pods_roll", run: looking::what_rolls_is_told },
            Scenario { name: "a_backend_that_is_away_is_seen", run: looking::a_backend_that_is_away },
            Scenario { name: "a_second_run_is_told_who_is_at_work", run: lasting::second_run },
            Scenario { name: "without_permission_the_right_is_named", run: lasting::no_permission },
            Scenario {
                name: "a_deleted_mariadb_pod_comes_back_with_its_data",
                run: lasting::mariadb_deleted,
            },
            Scenario {
                name: "a_rabbitmq_member_without_its_volume_joins_again",
                run: lasting::rabbitmq_volume_lost,
            },
            Scenario { name: "old_tokens_stay_valid_over_two_rotations", run: lasting::fernet_rotated },
            Scenario { name: "a_changed_value_rolls_only_what_it_must", run: lasting::changed_value },
            Scenario { name: "down_keeps_the_data_and_up_finds_it", run: lasting::down_and_up },
            Scenario {
                name: "killed_at_random_moments_it_ends_in_the_same_state",
                run: killed::at_random_moments,
            },
            Scenario { name: "broken_start_image_missing", run: broken::image_missing },
            Scenario { name: "broken_start_no_storage_class", run: broken::no_storage_class },
            Scenario { name: "broken_start_node_label_missing", run: broken::label_missing },
            Scenario { name: "broken_start_wrong_database_password", run: broken::wrong_password },
            Scenario { name: "broken_start_too_little_cpu", run: broken::too_little_cpu },
            Scenario { name: "real_helm_installs_our_charts_alone", run: cloud_world::helm_installs },
        ],
        |world| world.remove(),
    )
}
