//! The list of checks.

/// Runs every check on one implementation.
macro_rules! conformance_suite {
    ($store:ty: $($module:ident: $($check:ident,)+;)+) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            $crate::$module::$check::<$store>().await;
        }
    )+)+};
    ($store:ty) => {
        conformance_suite!($store:
            schema:
                an_empty_database_is_told_to_be_migrated,
                migrating_twice_changes_nothing,
                a_newer_schema_is_fine,
            ;
            commits:
                what_is_absent_loads_as_nothing,
                what_is_written_is_read_back,
                a_ledger_row_says_who_and_why,
                stock_of_an_order_that_holds_nothing_is_loaded,
                an_empty_change_set_applies,
                short_orders_are_listed_oldest_first,
                two_thousand_webhooks_fit_into_one_commit,
                any_text_comes_back_as_it_was,
                what_a_constraint_forbids_is_rejected_and_the_store_works_on,
                an_effect_waits_in_the_outbox,
                a_floor_goes_along_with_a_move,
                a_commit_dropped_anywhere_happens_whole_or_not_at_all,
            ;
            webhooks:
                repeats_are_counted_and_the_latest_are_remembered,
                a_webhook_and_its_repeats_fit_into_one_commit,
                the_same_envelope_again_is_known,
                outcomes_are_counted,
                suspicion_is_counted_until_it_is_cleared,
            ;
            letters:
                a_dead_letter_keeps_everything,
                a_dead_letter_is_replayed_and_closed,
                a_dead_letter_that_dies_again_opens_again,
                a_dead_letter_is_discarded_once,
                what_is_no_envelope_is_kept_too,
            ;
            channels:
                a_payment_is_read_back_with_its_order,
                a_payment_that_was_written_meanwhile_is_a_conflict,
                a_payment_waits_for_its_order_and_pays_it,
                only_payments_with_money_wait_for_an_order,
                a_claimed_payment_keeps_others_out_and_a_dropped_claim_leaves_nothing,
                a_listing_made_by_hand_goes_before_the_catalogue,
                the_newest_sighting_stays,
                a_request_is_kept_until_it_is_answered,
                redacted_letters_keep_nothing,
            ;
            conflicts:
                a_webhook_that_is_there_is_a_conflict,
                an_order_that_was_written_meanwhile_is_a_conflict,
                an_order_that_is_gone_is_a_conflict,
                stock_that_moved_meanwhile_is_a_conflict,
                stock_that_was_only_read_is_a_conflict,
                stock_that_appeared_meanwhile_is_a_conflict,
                absent_stock_that_was_only_read_is_a_conflict,
                an_operation_that_was_done_before_is_a_conflict,
                a_replay_of_what_is_not_dead_is_a_conflict,
                a_repeat_that_was_counted_meanwhile_is_a_conflict,
                all_rows_that_changed_are_named,
            ;
            claims:
                a_claimed_batch_commits,
                a_claim_keeps_others_out,
                a_dropped_claim_lets_go_at_once_and_leaves_nothing,
                an_unused_claim_leaves_nothing,
                a_claim_on_something_else_still_compares_versions,
                a_rejected_claim_leaves_nothing,
            ;
            lanes:
                optimistic_lanes_lose_no_update,
                locking_lanes_lose_no_update_and_meet_no_conflict,
                mixed_lanes_lose_no_update,
            ;
            tampering:
                every_kind_of_tampering_is_found,
            ;
        );
    };
}
