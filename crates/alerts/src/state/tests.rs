use operate::health::Todo;

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const PATIENCE: Duration = Duration::from_secs(MINUTE);

fn verdict(wrong: &[Matter], unknown: &[Matter]) -> Verdict {
    let todo = |matter: &Matter| Todo { matter: *matter, text: format!("{matter:?}!") };
    Verdict {
        sentence: String::new(),
        todo: wrong.iter().map(todo).collect(),
        unknown: unknown.to_vec(),
    }
}

/// Looks at each of (second, what is wrong, what is not known), posts what is due, and returns what
/// was posted: `name: …` without the name. `is_up`: whether the post arrives at that second.
fn posted(looks: &[(u64, &[Matter], &[Matter])], is_up: impl Fn(u64) -> bool) -> Vec<String> {
    posted_by(&mut Alerts::new(PATIENCE), looks, is_up)
}

fn posted_by(
    alerts: &mut Alerts,
    looks: &[(u64, &[Matter], &[Matter])],
    is_up: impl Fn(u64) -> bool,
) -> Vec<String> {
    let mut posted = Vec::new();
    for (second, wrong, unknown) in looks {
        let now = Duration::from_secs(*second);
        alerts.look(&verdict(wrong, unknown), now);
        if let Some(notice) = alerts.due(now)
            && is_up(*second)
        {
            alerts.told(&notice, now);
            let text = notice.text("shop");
            posted.push(text.strip_prefix("shop: ").expect("the name").replace('\n', " / "));
        }
    }
    posted
}

/// As the process after `before` finds it.
fn started_anew(before: &Alerts) -> Alerts {
    let (kept, _) = before.unkept();
    let mut alerts = Alerts::new(PATIENCE);
    alerts.go_on(&kept);
    alerts
}

use Matter::{Backlog, Database, Dead, Queue, Short};

#[test]
fn each_matter_is_told_once_again_after_hours_and_when_it_is_over() {
    let dead: &[Matter] = &[Dead];
    for (what, looks, expected) in [
        ("nothing is wrong", vec![(0, &[][..]), (90, &[])], vec![]),
        ("a blip", vec![(0, dead), (59, dead), (60, &[]), (500, &[])], vec![]),
        ("blips", vec![(0, dead), (40, &[]), (70, dead), (110, &[]), (140, dead)], vec![]),
        ("it lasts a minute", vec![(0, dead), (60, dead), (61, dead)], vec!["Dead!"]),
        ("seen late", vec![(0, dead), (300, dead), (4 * HOUR, dead)], vec!["Dead!"]),
        (
            "it is over",
            vec![(0, dead), (60, dead), (70, &[]), (129, &[]), (130, &[]), (200, &[])],
            vec!["Dead!", "No dead letter waits any more. / All is well again."],
        ),
        (
            "it is over for a moment only",
            vec![(0, dead), (60, dead), (70, &[]), (100, dead), (140, dead), (170, &[])],
            vec!["Dead!"],
        ),
        (
            "it begins again",
            vec![(0, dead), (60, dead), (70, &[]), (130, &[]), (140, dead), (200, dead)],
            vec!["Dead!", "No dead letter waits any more. / All is well again.", "Dead!"],
        ),
        (
            "it lasts for a day",
            vec![
                (0, dead),
                (60, dead),
                (24 * HOUR, dead),
                (24 * HOUR + 60, dead),
                (30 * HOUR, dead),
            ],
            vec!["Dead!", "Still, for 24 hours: Dead!"],
        ),
        (
            "what is urgent is told more often",
            vec![(0, &[Queue][..]), (60, &[Queue]), (5 * HOUR, &[Queue]), (6 * HOUR, &[Queue])],
            vec!["Queue!", "Still, for 5 hours: Queue!"],
        ),
        (
            "two at once",
            vec![(0, &[Backlog, Dead][..]), (60, &[Backlog, Dead])],
            vec!["Backlog! / Dead!"],
        ),
        (
            "one after the other",
            vec![
                (0, dead),
                (60, dead),
                (100, &[Dead, Short]),
                (160, &[Dead, Short]),
                (170, &[Short]),
                (230, &[Short]),
                (240, &[]),
                (300, &[]),
            ],
            vec![
                "Dead!",
                "Short!",
                "No dead letter waits any more. / One other thing still waits.",
                "No order is short any more. / All is well again.",
            ],
        ),
        (
            "one ends as another begins",
            vec![(0, dead), (60, dead), (70, &[Short]), (130, &[Short])],
            vec!["Dead!", "Short! / No dead letter waits any more."],
        ),
    ] {
        let looks: Vec<_> =
            looks.into_iter().map(|(second, wrong)| (second, wrong, &[][..])).collect();
        assert_eq!(posted(&looks, |_| true), expected, "{what}");
    }
}

#[test]
fn what_is_not_known_neither_begins_nor_ends() {
    let (dead, away): (&[Matter], &[Matter]) = (&[Dead], &[Database]);
    let looks = [
        (0, dead, &[][..]),
        (60, dead, &[]),
        (70, away, dead),
        (130, away, dead),
        (200, away, dead),
        (210, dead, &[]),
        (270, dead, &[]),
    ];
    let expected =
        ["Dead!", "Database!", "The database answers again. / One other thing still waits."];
    assert_eq!(posted(&looks, |_| true), expected);
    // What had begun and was not told goes on from where it was.
    let looks = [(0, dead, &[][..]), (30, away, dead), (50, dead, &[]), (60, dead, &[])];
    assert_eq!(posted(&looks, |_| true), ["Dead!"]);
}

#[test]
fn what_could_not_be_posted_is_posted_later_as_things_are_then() {
    let (dead, both): (&[Matter], &[Matter]) = (&[Dead], &[Dead, Short]);
    let looks = [(0, dead, &[][..]), (60, dead, &[]), (90, both, &[]), (150, both, &[])];
    assert_eq!(posted(&looks, |second| second > 100), ["Dead! / Short!"]);
    // It came and went while nobody could be told.
    let looks = [(0, dead, &[][..]), (60, dead, &[]), (90, &[][..], &[]), (150, &[], &[])];
    assert_eq!(posted(&looks, |second| second > 100), [] as [&str; 0]);
    // Its end could not be told, and it began again: nothing has changed for whoever was told.
    let looks = [
        (0, dead, &[][..]),
        (60, dead, &[]),
        (70, &[][..], &[]),
        (130, &[], &[]),
        (140, dead, &[]),
        (300, dead, &[]),
    ];
    assert_eq!(posted(&looks, |second| second != 130), ["Dead!"]);
}

#[test]
fn a_process_that_starts_anew_goes_on_from_what_was_told() {
    let (dead, both): (&[Matter], &[Matter]) = (&[Dead], &[Dead, Short]);
    let mut before = Alerts::new(PATIENCE);
    let looks = [(0, dead, &[][..]), (60, dead, &[]), (90, both, &[])];
    assert_eq!(posted_by(&mut before, &looks, |_| true), ["Dead!"]);

    let still = [
        (300, both, &[][..]),
        (360, both, &[]),
        (24 * HOUR, both, &[]),
        (24 * HOUR + 60, both, &[]),
    ];
    let told = posted_by(&mut started_anew(&before), &still, |_| true);
    assert_eq!(told, ["Short!", "Still, for 24 hours: Dead!"], "nobody was told of the short one");

    let over = [(300, &[][..], &[][..]), (359, &[], &[]), (360, &[], &[]), (500, &[], &[])];
    let mut after = started_anew(&before);
    let told = posted_by(&mut after, &over, |_| true);
    assert_eq!(told, ["No dead letter waits any more. / All is well again."]);
    assert_eq!(after.unkept(), (vec![], vec![Dead]));

    // What this process does not know is neither over nor told again, whenever it was told.
    let unknown = [(300, &[][..], dead), (30 * HOUR, &[], dead), (30 * HOUR + 1, dead, &[])];
    let told = posted_by(&mut started_anew(&before), &unknown, |_| true);
    assert_eq!(told, ["Still, for 30 hours: Dead!"]);
}

#[test]
fn what_is_read_late_counts_from_when_it_was_told() {
    let dead: &[Matter] = &[Dead];
    let mut before = Alerts::new(PATIENCE);
    posted_by(&mut before, &[(0, dead, &[]), (60, dead, &[])], |_| true);
    let (kept, _) = before.unkept();
    // The store answers only after a look.
    let mut alerts = Alerts::new(PATIENCE);
    posted_by(&mut alerts, &[(300, dead, &[])], |_| true);
    alerts.go_on(&kept);
    let looks = [(360, dead, &[][..]), (24 * HOUR + 60, dead, &[])];
    assert_eq!(posted_by(&mut alerts, &looks, |_| true), ["Still, for 24 hours: Dead!"]);
}

#[test]
fn what_is_to_be_kept_is_what_was_told_since() {
    let (dead, both): (&[Matter], &[Matter]) = (&[Dead], &[Dead, Short]);
    let mut alerts = Alerts::new(PATIENCE);
    let seconds = Duration::from_secs;
    assert_eq!(alerts.unkept(), (vec![], vec![]));
    posted_by(&mut alerts, &[(10, dead, &[]), (70, dead, &[])], |_| true);
    let told = Told { matter: Dead, began: seconds(10), told: seconds(70) };
    assert_eq!(alerts.unkept(), (vec![told], vec![]));
    assert_eq!(alerts.unkept(), (vec![told], vec![]), "it could not be kept");
    alerts.kept();
    assert_eq!(alerts.unkept(), (vec![], vec![]));

    posted_by(&mut alerts, &[(80, both, &[]), (140, both, &[])], |_| true);
    let short = Told { matter: Short, began: seconds(80), told: seconds(140) };
    assert_eq!(alerts.unkept(), (vec![short], vec![]));
    posted_by(&mut alerts, &[(150, &[Short], &[]), (210, &[Short], &[])], |_| true);
    assert_eq!(alerts.unkept(), (vec![short], vec![Dead]));
    // It began again before its end was kept, and nobody was told.
    posted_by(&mut alerts, &[(220, both, &[])], |_| true);
    assert_eq!(alerts.unkept(), (vec![short], vec![Dead]));
}
