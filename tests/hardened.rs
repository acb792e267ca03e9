// SPDX-License-Identifier: Apache-2.0
//! Does a rule that hardens give keys that are hardened, and nothing else? Keys are made through the library on a real
//! token, and what they are is read from the bare module. And is a staged rule carried out for one service and not for
//! another?

use std::collections::BTreeMap;

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{Guard, Route, Way};
use harness::run::{eventually, run};
use harness::token::{self, LABEL, PIN, Token};
use serde_json::{Value, json};

/// SoftHSM unwraps and derives by changing what it has made, and so makes nothing that may not be modified there.
const HARDEN: &str = r#"
[[rule]]
name = "make"
action = "allow"
operation = ["generate", "generate-key-pair", "import", "copy"]
harden = { private = true, sensitive = true, extractable = false, modifiable = false, end_date = "2y" }
[[rule]]
name = "move"
action = "allow"
operation = ["unwrap", "derive"]
harden = { private = true, sensitive = true, extractable = false, end_date = "2y" }
"#;

fn policy(head: &str, rules: &str) -> String {
    format!("version = 1\ndefault = \"allow\"\n{head}\n{rules}")
}

/// The host's lines of a subject, by their first word; objects of one name are told apart by their class.
fn lines(way: &Way, what: &str) -> BTreeMap<String, String> {
    let mut host = way.command(artifacts::host());
    host.arg("keys").arg(&way.module).arg(what).args(way.token().reserved.as_deref());
    let seen = run(&mut host).success();
    assert!(!seen.stdout.contains("unusable"), "{} {:?}", seen.stdout, way.fault());
    let lines = seen.stdout.lines().filter(|line| !line.starts_with("pid="));
    let mut found = BTreeMap::new();
    for line in lines {
        let (name, said) = line.split_once(' ').expect("a name and what is said of it");
        let class = said.split(' ').next().filter(|word| word.starts_with("class=")).unwrap_or_default();
        found.insert(format!("{name} {class}").trim().to_owned(), said.to_owned());
    }
    found
}

/// The value of an attribute in a line of the host.
fn said<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    line.split(' ').find_map(|said| said.strip_prefix(word)?.strip_prefix('='))
}

/// The events up to the last call of the host. A stream may close before that: a ring that the collector took in late is
/// empty, and what was recorded lies in the spool.
fn recorded(collector: &Collector) -> Vec<Value> {
    eventually("the last call", || {
        let text = collector.text();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let stored: Vec<Value> = whole.map(|line| serde_json::from_str(line).expect("an event")).collect();
        stored.iter().any(|event| event["function"] == "C_Finalize").then_some(stored)
    })
}

/// Makes the keys under a policy, and reads them from the bare module: what the calls said, what the keys are, and the
/// events of the calls.
fn made(token: Token, policy: &str) -> (BTreeMap<String, String>, BTreeMap<String, String>, Vec<Value>) {
    let bare = Token {
        module: token.module.clone(),
        environment: token.environment.clone(),
        reserved: token.reserved.clone(),
        folder: tempfile::TempDir::new().expect("a temporary folder"),
    };
    let collector = Collector::started();
    let guard = collector.guard(Guard::new(&token.module, policy));
    let way = Way::guarded(guard, token);
    let answers = lines(&way, "make");
    let stored = recorded(&collector);
    (answers, lines(&Way::new(Route::Direct, bare), "read"), stored)
}

fn in_two_years(stored: &[Value]) -> String {
    let call = stored.iter().find(|event| event["function"] == "C_GenerateKey").expect("a key was made");
    let day = &call["time"].as_str().expect("a time")[..10];
    let year: u64 = day[..4].parse().expect("a year");
    let rest = if &day[5..] == "02-29" { "0228".to_owned() } else { day[5..].replace('-', "") };
    format!("{}{rest}", year + 2)
}

/// The `hardened` of the event of the call that made the object called `label`.
fn hardened<'e>(stored: &'e [Value], label: &str) -> &'e Value {
    let named = |event: &&Value| {
        let attributes = event["templates"].as_array().into_iter().flatten();
        let mut attributes =
            attributes.flat_map(|template| template["attributes"].as_array().into_iter().flatten());
        event["function"] != "C_FindObjectsInit"
            && attributes.any(|said| said["name"] == "CKA_LABEL" && said["value"] == label)
    };
    &stored.iter().find(named).unwrap_or_else(|| panic!("no event names {label}: {stored:#?}"))["hardened"]
}

/// The attributes in one entry of `hardened`, as `CKA_SENSITIVE=true`.
fn attributes(entry: &Value) -> Vec<String> {
    let each = |attribute: &Value| {
        let value = attribute["value"].as_str().map_or_else(|| attribute["value"].to_string(), str::to_owned);
        format!("{}={value}", attribute["name"].as_str().expect("a name"))
    };
    entry["attributes"].as_array().expect("attributes").iter().map(each).collect()
}

const ALL: [&str; 4] =
    ["CKA_PRIVATE=true", "CKA_SENSITIVE=true", "CKA_EXTRACTABLE=false", "CKA_MODIFIABLE=false"];

#[test]
fn what_a_template_leaves_out_is_hardened_and_what_it_names_stays() {
    let (answers, keys, stored) = made(token::softhsm(), &policy("", HARDEN));
    let (bare_answers, bare, _) = made(token::softhsm(), &policy("", ""));
    // SoftHSM takes no attribute so often.
    assert_eq!(bare_answers["long"], "refused C_GenerateKey 0xd1");
    for (name, answer) in &answers {
        let expected = match name.as_str() {
            "long" => "refused C_GenerateKey 0xd1",
            // SoftHSM gives the copy of what may not be modified no other label: CKR_ATTRIBUTE_READ_ONLY.
            "copied" => "refused C_CopyObject 0x10",
            _ => "made",
        };
        assert_eq!(answer, expected, "{name}");
    }
    let end = in_two_years(&stored);
    let dashed = format!("CKA_END_DATE={}-{}-{}", &end[..4], &end[4..6], &end[6..]);
    let whole: Vec<&str> = ALL.into_iter().chain([&*dashed]).collect();

    for name in ["generated", "imported", "unwrapped", "derived"] {
        let line = &keys[&format!("{name} class=4")];
        let moved = ["unwrapped", "derived"].contains(&name);
        let modifiable = if moved { "true" } else { "false" };
        let values =
            ["private", "sensitive", "extractable", "modifiable", "end"].map(|word| said(line, word));
        assert_eq!(
            values,
            // SoftHSM 2.6 reads no date of a private object back (its issues 655 and 804).
            [Some("true"), Some("true"), Some("false"), Some(modifiable), None],
            "{name}: {line}"
        );
        let told = hardened(&stored, name);
        assert_eq!((&told[0]["template"], &told[0]["applied"]), (&json!(0), &json!(true)), "{name}");
        let whole = whole.iter().filter(|said| !moved || !said.contains("MODIFIABLE"));
        assert!(attributes(&told[0]).iter().eq(whole), "{name}: {told}");
        // The policy, and nothing else, made the difference.
        assert_eq!(said(&bare[&format!("{name} class=4")], "sensitive"), Some("false"));
    }
    let visible = &keys["visible class=4"];
    assert_eq!((said(visible, "sensitive"), said(visible, "end")), (Some("true"), Some(&*end)), "{visible}");
    let pair = &keys["pair class=3"];
    let values = ["sensitive", "extractable", "modifiable", "end", "bits"].map(|word| said(pair, word));
    assert_eq!(values[..4], [Some("true"), Some("false"), Some("false"), None], "{pair}");
    assert_eq!(said(&keys["pair class=2"], "end"), Some(&*end));
    assert_eq!(said(&keys["pair class=2"], "modifiable"), said(&bare["pair class=2"], "modifiable"));
    let told = hardened(&stored, "pair");
    assert_eq!(attributes(&told[0]), [&*dashed]);
    assert_eq!(
        (&told[1]["template"], attributes(&told[1])),
        (&json!(1), whole.iter().map(|w| (*w).to_owned()).collect())
    );

    // What a template says of itself stays, also where it is the weaker wish.
    let open = &keys["open class=4"];
    for (word, value) in
        [("private", "false"), ("sensitive", "false"), ("extractable", "true"), ("end", "20990101")]
    {
        assert_eq!(said(open, word), Some(value), "{open}");
    }
    assert_eq!(attributes(&hardened(&stored, "open")[0]), ["CKA_MODIFIABLE=false"]);
    let half = &keys["half-said class=4"];
    assert_eq!(
        (said(half, "sensitive"), said(half, "extractable")),
        (Some("false"), Some("false")),
        "{half}"
    );
    assert_eq!(
        said(&keys["later class=4"], "end"),
        Some("21000101"),
        "it lives as long from its first day on"
    );

    // What is no key, and a copy, is as it was; algorithm and size are those that were asked for.
    assert_eq!(keys["data class=0"], bare["data class=0"]);
    assert_eq!((hardened(&stored, "data"), hardened(&stored, "copied")), (&Value::Null, &Value::Null));
    for (name, line) in &keys {
        for word in ["type", "bytes", "bits"].into_iter().filter(|_| !name.starts_with("copied")) {
            assert_eq!(said(line, word), said(&bare[name], word), "{name}");
        }
    }
    let long =
        stored.iter().find(|event| event["templates"][0]["count"].as_u64() > Some(70)).expect("its event");
    assert_eq!(
        (&long["rv"]["name"], &long["answered_here"]),
        (&json!("CKR_TEMPLATE_INCONSISTENT"), &json!(true))
    );
    assert!(long["fault"].as_str().is_some_and(|fault| fault.contains("more than 64 attributes")), "{long}");
    println!("{} keys as they must be", keys.len());
}

#[test]
fn a_key_that_the_policy_gave_an_end_is_known_by_it() {
    let rules = HARDEN.replace("modifiable = false, ", "");
    let (answers, keys, stored) = made(token::nss(), &policy("", &rules));
    let end = in_two_years(&stored);
    for name in ["generated class=4", "imported class=4", "unwrapped class=4", "pair class=2", "pair class=3"]
    {
        assert_eq!(said(&keys[name], "end"), Some(&*end), "{name}: {} {answers:?}", keys[name]);
        let hidden = (said(&keys[name], "sensitive"), said(&keys[name], "extractable"));
        assert!(name == "pair class=2" || hidden == (Some("true"), Some("false")), "{name}: {}", keys[name]);
    }
    // Learnt for the call that works with it, also where the token cannot read its dates back.
    let (_, _, of_softhsm) = made(token::softhsm(), &policy("", HARDEN));
    for (stored, known) in [(&stored, true), (&of_softhsm, false)] {
        let wrapped =
            stored.iter().find(|event| event["function"] == "C_WrapKey").expect("a key was wrapped");
        let key = &wrapped["key"];
        assert_eq!((&key["bits"], key["end_date"].is_string()), (&json!(256), known), "{key}");
    }
}

#[test]
fn observe_mode_and_shadow_change_nothing_and_say_what_they_would_add() {
    let (bare_answers, bare, _) = made(token::softhsm(), &policy("", ""));
    for (head, rules) in [
        ("mode = \"observe\"", HARDEN.to_owned()),
        ("", HARDEN.replace("action", "enforce = false\naction")),
        ("", HARDEN.replace("action", "enforce = { service = \"another\" }\naction")),
    ] {
        let (answers, keys, stored) = made(token::softhsm(), &policy(head, &rules));
        assert_eq!((&answers, &keys), (&bare_answers, &bare));
        let told = hardened(&stored, "generated");
        assert_eq!((&told[0]["applied"], attributes(&told[0]).len()), (&json!(false), 5));
    }
}

#[test]
fn what_the_token_does_not_take_is_the_callers_to_see() {
    // NSS knows no CKA_COPYABLE, and makes no key with it.
    let bare = lines(&Way::new(Route::Direct, token::nss()), "make");
    let token = token::nss();
    let collector = Collector::started();
    let rules = policy("", &HARDEN.replace("private = true", "copyable = false"));
    let way = Way::guarded(collector.guard(Guard::new(&token.module, &rules)), token);
    let answers = lines(&way, "make");
    let stored = recorded(&collector);
    assert_eq!((&*bare["generated"], &*answers["generated"]), ("made", "refused C_GenerateKey 0x5"));
    let calls: Vec<&Value> = stored.iter().filter(|event| event["function"] == "C_GenerateKey").collect();
    assert_eq!(calls.len(), 8, "no call is tried again");
    let event = calls.iter().find(|event| event["rv"]["name"] == "CKR_GENERAL_ERROR").expect("its event");
    assert_eq!((&event["answered_here"], &event["hardened"][0]["applied"]), (&Value::Null, &json!(true)));
    assert!(attributes(&event["hardened"][0]).contains(&"CKA_COPYABLE=false".to_owned()), "{event}");
}

#[test]
fn pkcs11_tool_makes_its_keys_under_a_policy_that_hardens() {
    let token = token::softhsm();
    let guard = Guard::new(&token.module, &policy("", HARDEN));
    let way = Way::guarded(guard, token);
    let tool = |arguments: &[&str]| {
        let mut tool = way.command("pkcs11-tool");
        tool.arg("--module").arg(&way.module).args(["--token-label", LABEL, "--login", "--pin", PIN]);
        run(tool.args(arguments)).success().stdout
    };
    tool(&["--keygen", "--key-type", "AES:32", "--label", "aes", "--id", "01"]);
    tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--label", "ec", "--id", "02", "--usage-sign"]);
    let objects = tool(&["-O"]);
    // It says itself that an AES key is not sensitive, and says nothing of the other attributes.
    let access: Vec<&str> = objects.lines().filter(|line| line.contains("never extractable")).collect();
    assert_eq!(access.len(), 2, "{objects}");
    assert!(access[0].contains("always sensitive") || access[1].contains("always sensitive"), "{objects}");
    println!("{}", access.join("\n"));
}

const CASES: &str = r#"
policy = "policy.toml"
[[case]]
name = "it holds"
operation = "generate"
mechanism = "CKM_AES_KEY_GEN"
template = { sensitive = false }
process = { host = "web-1" }
time = 2026-11-21
expect = "allow"
enforced = true
hardened = ["private", "extractable", "modifiable", "end_date"]
[[case]]
name = "it does not"
operation = "generate"
mechanism = "CKM_AES_KEY_GEN"
process = { host = "db-1" }
expect = "allow"
enforced = true
hardened = ["sensitive"]
"#;

#[test]
fn the_program_says_what_was_hardened_and_what_would_be() {
    let (_, _, stored) = made(token::softhsm(), &policy("", HARDEN));
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    let staged = HARDEN.replacen("action", "enforce = { host = \"web-*\" }\naction", 1);
    file("events.jsonl", &stored.iter().map(|event| format!("{event}\n")).collect::<String>());
    file("policy.toml", &policy("", &staged));
    file("bare.toml", &policy("", ""));
    file("cases.toml", CASES);
    let p11guard = |arguments: &str| {
        let mut command = std::process::Command::new(artifacts::p11guard());
        run(command.arg("policy").args(arguments.split(' ')).current_dir(folder.path()))
    };
    assert!(p11guard("check policy.toml").success().stdout.contains("staged 1"));
    let event =
        stored.iter().find(|event| event["function"] == "C_GenerateKeyPair").expect("a pair was made");
    let id = event["id"].as_str().expect("an id");
    let said = p11guard(&format!("explain {id} events.jsonl --policy policy.toml")).success().stdout;
    assert!(said.contains("CKA_SENSITIVE=true (private key)"), "{said}");
    assert!(said.contains("would add CKA_END_DATE="), "on this host it is in shadow: {said}");
    let json = p11guard(&format!("explain {id} events.jsonl --policy policy.toml --json")).success().stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let applied = |when: &str| json[when]["hardened"]["applied"].clone();
    assert_eq!((applied("then"), applied("now")), (json!(true), json!(false)));
    assert_eq!(json["then"]["hardened"]["attributes"], json["now"]["hardened"]["attributes"]);

    let tried = p11guard("test cases.toml");
    assert_eq!(tried.status, 1);
    assert!(tried.stdout.contains("2 cases: 1 hold, 1 do not"), "{}", tried.stdout);
    assert!(tried.stdout.contains("allow, enforced, hardened with [sensitive]"), "{}", tried.stdout);
    assert!(tried.stdout.contains("by rule make, in shadow, hardened with []"), "{}", tried.stdout);
    let replayed = p11guard("replay policy.toml events.jsonl").success().stderr;
    assert!(
        replayed.contains("0 would be refused and 0 warned of, ") && replayed.contains("hardened keys"),
        "{replayed}"
    );
    file("hardening.toml", &policy("", HARDEN));
    let differ = p11guard("diff bare.toml hardening.toml").stdout;
    assert!(differ.contains("allow (hardened)"), "{differ}");
}

const STAGED: &str = r#"
[[rule]]
name = "no-new-keys"
action = "deny"
enforce = { service = ["signer", "web-*"], from = 2020-01-01, until = 2199-12-31 }
operation = ["generate"]
mechanism = ["CKM_AES_KEY_GEN"]
remedy = "ask the ceremony team"
[[rule]]
name = "on-no-such-host"
action = "deny"
enforce = { host = "no-such-host-*" }
operation = ["import"]
remedy = "ask"
[[rule]]
name = "not-yet"
action = "deny"
enforce = { from = 2199-01-01 }
operation = ["copy"]
remedy = "ask"
[[rule]]
name = "here"
action = "deny"
enforce = { host = "HOST" }
operation = ["unwrap"]
remedy = "ask"
"#;

#[test]
fn one_policy_is_carried_out_for_one_service_and_in_shadow_for_another() {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("the kernel's name of the host");
    let rules = policy("", &STAGED.replace("HOST", host.trim()));
    for (service, carried_out) in
        [(Some("signer"), true), (Some("web-2"), true), (Some("batch"), false), (None, false)]
    {
        let token = token::softhsm();
        let collector = Collector::started();
        let guard = collector.guard(Guard::new(&token.module, &rules));
        let way = Way::guarded(guard, token);
        let mut command = way.command(artifacts::host());
        command.arg("keys").arg(&way.module).arg("make").env_remove("OTEL_SERVICE_NAME");
        command.envs(service.map(|service| ("OTEL_SERVICE_NAME", service)));
        let seen = run(&mut command).success().stdout;
        let stored = recorded(&collector);
        let judged = |rule: &str| {
            let of_rule: Vec<&Value> =
                stored.iter().filter(|event| event["verdict"]["rule"] == rule).collect();
            assert!(!of_rule.is_empty(), "{rule} decided nothing: {seen}");
            let enforced: Vec<bool> =
                of_rule.iter().map(|event| event["verdict"]["enforced"] == true).collect();
            assert!(of_rule.iter().all(|event| event["verdict"]["action"] == "deny"));
            assert!(enforced.iter().all(|first| *first == enforced[0]));
            enforced[0]
        };
        assert_eq!(judged("no-new-keys"), carried_out, "{service:?}");
        assert_eq!(seen.contains("generated made"), !carried_out, "{seen}");
        assert!(!judged("on-no-such-host") && !judged("not-yet"), "{service:?}");
        if !carried_out {
            assert!(judged("here") && seen.contains("unwrapped refused C_UnwrapKey"), "{seen}");
        }
        let opened = stored.iter().find(|event| event["event"] == "stream.opened").expect("a stream");
        assert_eq!(opened["hello"]["host"], host.trim());
    }
}
