use operate::health::Todo;

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

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
    let mut alerts = Alerts::new(Duration::from_secs(MINUTE));
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
