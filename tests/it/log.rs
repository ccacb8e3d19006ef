//! `cachex log`: recent calls, before a fold and after it.

use crate::harness::{Cachex, cachex};
use serde_json::Value;

fn logged(cachex: &Cachex, options: &str) -> Vec<Value> {
    let told = cachex.cli(["log", "--json"]).with(options).once().exits(0).quietly().stdout();
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
}

#[test]
fn calls_are_listed_with_what_came_of_each() {
    let cachex = cachex();
    let hint = "cachex: no calls yet; `cachex run -- CMD` makes one\n";
    cachex.cli(["log"]).once().exits(0).prints("").says(hint);
    let call = cachex.exec(["echo", "a b"]).expires_in("1h");
    call.clone().before("4h").once().exits(0);
    call.clone().before("200m").once().exits(0);
    call.clone().before("1h").once().exits(0);
    cachex.exec(["false"]).exit_codes("0").before("30m").once().exits(1);
    let expected = [
        ("miss", "not recorded yet", Some(false), "false"),
        ("miss", "expired", Some(true), "echo 'a b'"),
        ("hit", "", None, "echo 'a b'"),
        ("miss", "not recorded yet", Some(true), "echo 'a b'"),
    ];
    let check = |calls: Vec<Value>| {
        let told = calls.iter().map(|call| {
            let text = |name: &str| call[name].as_str().unwrap_or_default();
            (text("result"), text("reason"), call["recorded"].as_bool(), text("command"))
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert!(calls.iter().all(|call| call["took"].as_f64().unwrap() > 0.0), "{calls:?}");
    };
    check(logged(&cachex, ""));
    cachex.folds();
    // The call that made the store fold is the last one.
    check(logged(&cachex, "").split_off(1));
    assert_eq!(logged(&cachex, "--limit 2").len(), 2);
    let told = cachex.cli(["log", "echo *", "--limit", "1"]).once().exits(0).quietly().stdout();
    let [heading, line] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    let words: Vec<&str> = heading.split_whitespace().collect();
    assert_eq!(words, ["AGE", "RESULT", "TOOK", "KEY", "WHY", "COMMAND"]);
    assert!(line.contains("  miss ") && line.ends_with("  expired  echo 'a b'"), "{told}");
    cachex.cli(["log", "nothing *"]).once().exits(0).prints("").says_one_line(&["matches"]);
    // What is forgotten is known by the name of the command, and after `clear` not at all.
    cachex.cli(["forget"]).command(["echo", "a b"]).once().exits(0);
    assert!(logged(&cachex, "").iter().all(|call| call["command"] != "echo 'a b'"));
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert_eq!(logged(&cachex, ""), [""; 0]);
}

#[test]
fn the_log_is_bounded_and_damage_hides_no_more_than_itself() {
    let cachex = cachex();
    for n in 0..8 {
        cachex.exec(["echo", &n.to_string()]).once().exits(0);
    }
    cachex.folds();
    let past = cachex.in_store("v2/events.past");
    let bytes = std::fs::read(&past).unwrap();
    // And the call that made it fold.
    assert_eq!(bytes.len(), 9 * 2 * 64);
    let mut damaged = bytes.clone();
    damaged[3 * 128 + 20] ^= 1;
    std::fs::write(&past, &damaged[..damaged.len() - 5]).unwrap();
    assert_eq!(logged(&cachex, "").len(), 8);
    cachex.cli(["doctor"]).once().exits(0);
    std::fs::remove_file(&past).unwrap();
    std::fs::create_dir(&past).unwrap();
    assert_eq!(logged(&cachex, ""), [""; 0]);
    cachex.exec(["echo", "0"]).once().exits(0);
    cachex.folds();
}
