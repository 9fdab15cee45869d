//! The commands, run as a user runs them: what they print and how they end.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A message that the demonstration's partner could send, without a member that must be there.
const FAULTY_QUOTE: &str = r#"{ "instantSyncQuote": false, "buyerRequestedQuoteLevel": "budgetary" }"#;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Exit status, standard output, standard error.
pub fn segue(words: &[&str], input: &str) -> (i32, String, String) {
    run(&root().join("config"), words, input)
}

pub fn run(config: &Path, words: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.arg("--config").arg(config).args(words);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its words does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The body of a message of a shipped case.
fn body(case: &str, file: &str) -> String {
    let path = root().join("mappings/acme/cases").join(case).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let message: serde_json::Value = serde_json::from_str(&text).unwrap();
    message["body"].to_string()
}

/// A copy of the shipped configuration and mappings, without cases and partners on other releases, to break.
pub fn copy() -> (tempfile::TempDir, PathBuf) {
    fn copy_into(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (name, path) = entry.map(|entry| (entry.file_name(), entry.path())).unwrap();
            if path.is_dir() && name != "cases" {
                copy_into(&path, &to.join(&name));
            } else if path.is_file() {
                std::fs::copy(&path, to.join(&name)).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["config", "mappings"] {
        copy_into(&root().join(name), &folder.path().join(name));
    }
    // Bridges are most of what a start compiles.
    for partner in ["stark", "wayne"] {
        std::fs::remove_file(folder.path().join(format!("config/partners/{partner}.yaml"))).unwrap();
    }
    let config = folder.path().join("config");
    (folder, config)
}

pub fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn words_that_mean_nothing_are_wrong_use() {
    assert_eq!(segue(&["chekc"], "").0, 2);
    assert_eq!(segue(&["check", "--format", "yaml"], "").0, 2);
    assert_eq!(segue(&["show"], "").0, 2);
    assert_eq!(segue(&["test", "--mutate", "--update"], "").0, 2);
    assert_eq!(segue(&["test", "--mutate", "--format", "junit"], "").0, 2);
    assert_eq!(segue(&["--help"], "").0, 0);
    let (status, _, err) = segue(&["test", "quote/createQuote.twoo"], "");
    assert_eq!((status, err.contains("`quote/createQuote.twoo`")), (2, true), "{err}");
}

#[test]
fn coverage_below_its_minimum_says_which() {
    let (status, _, err) =
        segue(&["coverage", "--partner", "globex", "--min", "100", "--min-products", "1"], "");
    assert_eq!(status, 1, "{err}");
    assert!(err.starts_with("--min 100: ") && err.lines().count() == 1, "{err}");
}

#[test]
fn check_tells_findings_with_their_place() {
    let (status, out, err) = segue(&["check"], "");
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.starts_with("good: 6 partners, "), "{out}");
    let (_folder, config) = copy();
    edit(&config.join("partners/globex.yaml"), "mapping: acme", "mapping: acne");
    let (status, out, _) = run(&config, &["check"], "");
    assert_eq!(status, 1);
    assert!(out.contains("P101") && out.contains("globex.yaml:16:10"), "{out}");
    assert!(out.contains("did you mean `acme`?"), "{out}");
    let (status, out, _) = run(&config, &["check", "--format", "json"], "");
    assert_eq!(status, 1);
    assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok_and(|told| !told.is_null()), "{out}");
    let (status, _, err) = run(&config, &["test"], "");
    assert_eq!(status, 1);
    assert!(err.contains("P101"), "{err}");
    let (status, out, _) = run(&config, &["check", "--format", "sarif"], "");
    assert_eq!(status, 1);
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    let (rules, results) = (&log["runs"][0]["tool"]["driver"]["rules"], &log["runs"][0]["results"]);
    let told = results.as_array().unwrap().iter().find(|one| one["ruleId"] == "P101").unwrap();
    let rule = &rules[usize::try_from(told["ruleIndex"].as_u64().unwrap()).unwrap()];
    assert_eq!(rule["id"], "P101");
    assert!(rules.as_array().unwrap().iter().all(|rule| rule["shortDescription"]["text"].is_string()));
    assert_eq!(told["locations"][0]["physicalLocation"]["region"]["startLine"], 16, "{told}");
}

#[test]
fn test_plays_cases_and_tells_differences() {
    let (status, out, err) = segue(&["test", "quote/createQuote.minimal"], "");
    assert_eq!(status, 0, "{out}{err}");
    assert_eq!(out, "1 passed, 0 failed, 0 findings in 0 cases\n");
    let odd = "poq/createProductOfferingQualification.odd-result";
    let (_, out, _) = segue(&["test", odd], "");
    assert_eq!(out, "1 passed, 0 failed, 2 findings in 1 cases\n");
    let (_, out, _) = segue(&["test", "--findings", odd], "");
    assert!(out.starts_with(&format!("case {odd}\n  finding invalidValue: ")), "{out}");
    assert!(out.contains("mappings/acme/poq.yaml:"), "{out}");
    let (_folder, config) = copy();
    let from = root().join("mappings/acme/cases/quote/createQuote.minimal");
    let to = config.join("../mappings/acme/cases/quote/createQuote.minimal");
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    edit(&to.join("4-sonata-response.json"), "\"status\": 201", "\"status\": 200");
    let (status, out, _) = run(&config, &["test"], "");
    assert_eq!(status, 1);
    assert!(out.contains("case quote/createQuote.minimal\n"), "{out}");
    assert!(out.contains("4-sonata-response: expected status 200, got 201"), "{out}");
    assert!(out.ends_with("0 passed, 1 failed, 0 findings in 0 cases\n"), "{out}");
    let (status, out, _) = run(&config, &["test", "--format", "junit"], "");
    assert_eq!(status, 1);
    let failure =
        "<testcase classname=\"quote\" name=\"createQuote.minimal\"><failure message=\"4-sonata-response: ";
    assert!(out.starts_with("<?xml ") && out.contains(failure), "{out}");
    let (status, out, _) = run(&config, &["test", "--mutate"], "");
    assert_eq!(status, 1);
    assert!(out.ends_with("mend them first\n"), "{out}");
    edit(&to.join("4-sonata-response.json"), "\"status\": 200", "\"status\": 201");
    let (status, out, _) = run(&config, &["test", "--mutate", "address.yaml"], "");
    assert_eq!(status, 1, "no case is about addresses");
    assert!(
        out.lines().any(|line| line.contains("address.yaml:") && line.ends_with("no case noticed")),
        "{out}"
    );
    assert!(out.lines().last().is_some_and(|line| line.ends_with(" survived")), "{out}");
}

#[test]
fn map_prints_what_goes_on() {
    let words = ["map", "--partner", "globex", "--operation", "quote.createQuote", "--direction"];
    let request = body("quote/createQuote.minimal", "1-sonata-request.json");
    let (status, out, err) = segue(&[&words[..], &["to_legacy"]].concat(), &request);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("POST /v2/offers\n{\n"), "{out}");
    let reply = body("quote/createQuote.minimal", "3-legacy-response.json");
    let (status, out, err) = segue(&[&words[..], &["to_sonata"]].concat(), &reply);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("answer\n{\n") && out.contains("\"state\""), "{out}");
    let (status, _, err) = segue(&[&words[..], &["to_legacy", "--mapping", "acm"]].concat(), &request);
    assert_eq!(status, 2);
    assert!(err.contains("there is no mapping set `acm`; did you mean `acme`?"), "{err}");
    let (status, _, err) = segue(&[&words[..], &["to_sonata", "--status", "404"]].concat(), &reply);
    assert_eq!(status, 1);
    assert!(!err.is_empty());
}

#[test]
fn map_prints_the_xml_that_a_backend_speaks() {
    let case = "ticket/createTroubleTicket.everything";
    let words = ["map", "--partner", "globex", "--operation", "troubleTicket.createTroubleTicket"];
    let map = |input: &str| segue(&[&words[..], &["--direction", "to_legacy"]].concat(), input);
    let request = body(case, "1-sonata-request.json");
    let (_, out, err) = map(&request);
    assert_eq!(err, "");
    let path = root().join("mappings/acme/cases").join(case).join("2-legacy-request.json");
    let sent: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let lines: Vec<&str> = sent["xml"].as_array().unwrap().iter().filter_map(|line| line.as_str()).collect();
    let expected = format!("POST /soap/tickets\n{}\n", lines.join("\n"));
    // The object is named by the partner's own id here, as nothing is kept.
    let alike = |text: &str| {
        text.lines().filter(|line| !line.contains("<n1:Object")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(alike(&out), alike(&expected));
    let mut unsayable: serde_json::Value = serde_json::from_str(&request).unwrap();
    unsayable["description"] = "a\u{1}b".into();
    let (status, out, err) = map(&unsayable.to_string());
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        err.contains("a control character cannot be passed on (") && err.contains("ticket.yaml:"),
        "{err}"
    );
}

#[test]
fn a_wrong_overlay_is_in_nobody_elses_way() {
    let (_folder, config) = copy();
    edit(
        &config.join("../mappings/partners/hooli/acme.yaml"),
        "extends: wholesale/acme",
        "extends: wholesale/acne",
    );
    let map = |partner: &str| {
        let words = ["map", "--partner", partner, "--operation", "quote.createQuote", "--direction"];
        let request = body("quote/createQuote.minimal", "1-sonata-request.json");
        run(&config, &[&words[..], &["to_legacy"]].concat(), &request)
    };
    let (status, out, err) = map("globex");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let (status, _, err) = map("hooli");
    assert!(status == 1 && err.contains("hooli/acme.yaml:"), "{err}");
}

#[test]
fn map_tells_faults_and_refuses_wrong_words() {
    let map = |partner: &str, operation: &str, input: &str| {
        segue(&["map", "--partner", partner, "--operation", operation, "--direction", "to_legacy"], input)
    };
    let (status, _, err) = map("globex", "quote.createQuote", FAULTY_QUOTE);
    assert_eq!(status, 1);
    assert!(err.contains("missingProperty /quoteItem: "), "{err}");
    let (status, _, err) = map("globex", "quote.createQuote", "{");
    assert_eq!(status, 1);
    assert!(err.starts_with("the body is not JSON: "), "{err}");
    let (status, _, err) = map("globx", "quote.createQuote", "{}");
    assert_eq!(status, 2);
    assert!(err.contains("did you mean `globex`?"), "{err}");
    let (status, _, err) = map("globex", "quote.createQuot", "{}");
    assert_eq!(status, 2);
    assert!(err.contains("did you mean `quote.createQuote`?"), "{err}");
    let (_, _, err) = map("globex", "retreiveQuote", "{}");
    assert!(err.contains("did you mean `quote.retrieveQuote`?"), "{err}");
    let (_, _, err) = map("globex", "quote.xyzzy", "{}");
    assert!(err.contains("there are: quote.listQuote, ") && !err.contains("order."), "{err}");
    let (status, _, err) = map("globex", "quote.retrieveQuote", "");
    assert_eq!(status, 2);
    assert!(err.contains("path id="), "{err}");
}

#[test]
fn trace_shows_every_rule_with_its_place() {
    let request = body("quote/createQuote.minimal", "1-sonata-request.json");
    let words =
        ["trace", "--partner", "globex", "--operation", "quote.createQuote", "--direction", "to_legacy"];
    let (status, out, err) = segue(&words, &request);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("POST /v2/offers\n"), "{out}");
    let row = out.lines().find(|line| line.trim_start().starts_with("/quoteItem/0/action ")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[1..4], ["'N'", "/lines/0/act", "written"], "{row}");
    assert!(cells[4].contains("mappings/acme/quote.yaml:"), "{row}");
    assert!(out.contains(" absent ") && out.contains(" constant "), "{out}");
}

#[test]
fn show_tells_where_rules_and_settings_come_from() {
    let (status, out, err) = segue(&["show", "--partner", "globex", "quote.createQuote"], "");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("operation quote.createQuote"), "{out}");
    assert!(out.contains("mappings/partners/globex/acme.yaml:"), "the overlay's rule: {out}");
    let (_, out, _) = segue(&["show", "--partner", "hooli", "quote.createQuote"], "");
    let origin = |rule: &str| {
        let line = out.lines().find(|line| line.trim_start().starts_with(rule));
        line.and_then(|line| line.rsplit_once("# ")).unwrap_or_else(|| panic!("{rule}: {out}")).1.to_owned()
    };
    let shared = "mappings/partners/wholesale/acme.yaml:";
    assert!(origin("-> hdr.channel  value SONATA-WS").contains(shared), "an overlay below: {out}");
    assert!(origin("-> sku  value UNI-S").contains("mappings/partners/hooli/acme.yaml:"), "a branch: {out}");
    assert!(!out.contains("dealReference"), "what was removed: {out}");
    let (_, out, _) = segue(&["show", "--partner", "initech", "quote.cancelQuote"], "");
    let off =
        out.starts_with("operation quote.cancelQuote: off") && out.contains("partners/initech/acme.yaml:");
    assert!(off, "{out}");
    let (_, out, _) = segue(&["show", "--partner", "globex", "receives"], "");
    let has = |out: &str, line: &str| out.lines().any(|one| one.trim_start().starts_with(line));
    assert!(out.starts_with("receives ") && !out.contains("operation "), "{out}");
    assert!(
        has(&out, "receives POST /bss/charges ")
            && has(&out, "creates charge by chgNo, of productOrder packNo "),
        "{out}"
    );
    assert!(has(&out, "told: shape order-item ") && has(&out, "shape order-item "), "{out}");
    let (_, out, _) = segue(&["show", "--partner", "globex", "watch"], "");
    assert!(out.starts_with("watch changed-orders ") && has(&out, "updates productOrderItem by "), "{out}");
    assert!(out.contains("mappings/acme/order.yaml:"), "{out}");
    let (_, out, _) = segue(&["show", "--partner", "globex", "poq.createProductOfferingQualification"], "");
    assert!(has(&out, "complete: GET /v2/checks/{legacy.id} every 30s until "), "{out}");
    let (_, out, _) = segue(&["show", "--partner", "globex"], "");
    assert!(
        out.contains("\nreceives ") && out.contains("\nwatch ") && out.starts_with("operation "),
        "{out}"
    );
    let (status, _, err) = segue(&["show", "--partner", "globex", "quote.createQuot"], "");
    assert_eq!(status, 2);
    assert!(err.contains("did you mean"), "{err}");
    let (_folder, config) = copy();
    std::fs::create_dir(config.join("secrets")).unwrap();
    std::fs::write(config.join("secrets/token"), "9f2c-71aa").unwrap();
    let backend = config.join("backends/acme.yaml");
    edit(&backend, "format: json", "credentials: { bearer: { file: secrets/token } }\nformat: json");
    edit(&config.join("segue.yaml"), "  faults_max: 100 ", "  # ");
    let (status, out, err) = run(&config, &["show", "config"], "");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let row = |start: &str| out.lines().find(|line| line.trim_start().starts_with(start)).unwrap().to_owned();
    let shipped = std::fs::read_to_string(config.join("segue.yaml")).unwrap();
    let line = shipped.lines().position(|line| line.trim_start().starts_with("depth_max:")).unwrap() + 1;
    assert!(row("limits.depth_max: 64 ").ends_with(&format!("config/segue.yaml:{line}")), "{out}");
    assert!(row("limits.faults_max: 100 ").ends_with("# default"), "{out}");
    assert!(row("credentials.bearer.file: [secret]").contains("acme.yaml:8"), "{out}");
    assert!(!out.contains("9f2c") && !out.contains("secrets/token"), "{out}");
}

#[test]
fn releases_are_listed_with_the_contracts_that_they_share() {
    let (status, output, _) = segue(&["releases"], "");
    assert_eq!(status, 0);
    assert!(output.contains("kylie    2026-02    23    127         0"), "{output}");
    assert!(
        output.contains("[billie v7] [celine v8] [dolly v8, ella v8, fergie v8, grace v8] [kylie v10]"),
        "{output}"
    );
    let (status, output, _) = segue(&["releases", "--format", "json"], "");
    let told: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert!(status == 0 && told["releases"].as_array().unwrap().len() == 7);
    assert_eq!(
        told["functions"][4]["contracts"][3][2]["path"],
        "/mefApi/sonata/productOrderingManagement/v10"
    );
    for (release, count) in [("billie", 63), ("celine", 68), ("dolly", 83), ("ella", 94), ("kylie", 127)] {
        let (status, output, _) = segue(&["operations", "--release", release], "");
        assert!(status == 0 && output.contains(&format!("\n{count} operations of {release}\n")), "{output}");
    }
    let (_, output, _) = segue(&["operations", "--release", "kylie", "--format", "json"], "");
    let rows: serde_json::Value = serde_json::from_str(&output).unwrap();
    let declined = rows.as_array().unwrap().iter().find(|row| row["operationId"] == "declineQuote").unwrap();
    assert_eq!(declined["path"], "/mefApi/sonata/quoteManagement/v10/declineQuote");
    let (status, _, complaint) = segue(&["operations", "--release", "kyle"], "");
    assert!(status != 0 && complaint.contains("did you mean `kylie`?"), "{complaint}");
}

#[test]
fn every_operation_of_the_standard_is_listed_with_how_it_is_served_and_tested() {
    let (status, output, _) = segue(&["operations", "--partner", "globex", "--format", "json"], "");
    assert_eq!(status, 0);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&output).unwrap();
    assert_eq!(rows.len(), 114, "grace has 114 operations, listeners included");
    let served: Vec<&serde_json::Value> = rows.iter().filter(|row| row["served"] == "legacy").collect();
    assert!(served.len() >= 20, "{} served", served.len());
    for row in served {
        let name = format!("{}.{}", row["function"].as_str().unwrap(), row["operationId"].as_str().unwrap());
        assert!(row["casesGood"].as_u64().unwrap() > 0, "{name} has no good case");
        assert!(row["casesFaulty"].as_u64().unwrap() > 0, "{name} has no faulty case");
        assert!(!row["calls"].as_array().unwrap().is_empty(), "{name} makes no call");
    }
    let (status, output, _) = segue(&["operations"], "");
    assert_eq!(status, 0);
    let line = output.lines().find(|line| line.contains(" quote.createQuote ")).unwrap();
    assert!(line.contains("POST /quote ") && line.ends_with("POST /v2/offers"), "{line}");
    let (status, _, complaint) = segue(&["operations", "--partner", "globx"], "");
    assert_eq!(status, 2);
    assert!(complaint.contains("did you mean `globex`?"), "{complaint}");
}

#[test]
fn explain_prints_a_page_or_the_nearest_code() {
    let (status, out, err) = segue(&["explain", "m202"], "");
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("M202: The contract of this release has no such attribute"), "{out}");
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("no {text:?} in {out}"));
    assert!(at("\nWrong, ") < at("    error[M202]: ") && at("    error[M202]: ") < at("\nRight, "));
    assert!(!out.contains("```"), "{out}");
    let (status, out, _) = segue(&["explain"], "");
    assert_eq!((status, out.lines().count()), (0, ::segue::plan::meanings().len()));
    let (status, out, _) = segue(&["explain", "K104"], "");
    assert_eq!((status, out.starts_with("K104: ")), (0, true), "{out}");
    let (status, _, err) = segue(&["explain", "M20"], "");
    assert_eq!(status, 2);
    assert!(err.contains("there is no code `M20`"), "{err}");
}

#[test]
fn coverage_counts_attributes_and_fails_below_a_minimum() {
    let (status, out, err) = segue(&["coverage", "--min", "50"], "");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let line = out.lines().find(|line| line.contains(" quote.createQuote ")).unwrap();
    assert!(line.ends_with(|end: char| end.is_ascii_digit()) && line.contains(" % "), "{line}");
    let of_globex = |words: &[&str]| segue(&[&["coverage", "--partner", "globex"], words].concat(), "").0;
    assert_eq!(of_globex(&["--min", "100"]), 1);
    assert_eq!(of_globex(&["--min", "101"]), 2);
    assert_eq!(of_globex(&["--min-products", "100"]), 1);
    assert_eq!(of_globex(&["--min-legacy", "100"]), 1);
    assert_eq!(of_globex(&["--min-products", "30", "--min-legacy", "30"]), 0);
    assert_eq!(of_globex(&["quote.createQuot"]), 2);
    let (_, out, _) = segue(&["coverage", "quote.createQuote"], "");
    assert!(
        out.lines().any(|line| line.starts_with("  always") && line.ends_with("quoteItem.action")),
        "{out}"
    );
    let (_, out, _) =
        segue(&["coverage", "--partner", "globex", "quote.createQuote", "--format", "json"], "");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let one = &told["operations"][0];
    assert_eq!(told["attributes"], one["attributes"]);
    let rows = one["request"].as_array().unwrap().len() + one["answer"].as_array().unwrap().len();
    assert_eq!(one["attributes"].as_u64().unwrap(), u64::try_from(rows).unwrap());
    let products = one["products"]["list"].as_array().unwrap();
    assert!(products.iter().any(|one| one["type"].as_str().unwrap().contains("operator-uni")), "{one}");
    assert_eq!(told["products"]["attributes"], one["products"]["attributes"]);
    assert_eq!(one["replies"]["list"][0]["call"], "createQuote");
    assert_eq!(told["replies"]["attributes"], one["replies"]["attributes"]);
}

#[test]
fn partners_on_other_releases_are_spoken_of_in_their_own_words() {
    for (partner, case) in [("stark", "createQuote.stark"), ("wayne", "createQuote.wayne")] {
        let folder = root().join("mappings/partners").join(partner).join("cases/quote").join(case);
        let message = |file: &str| -> serde_json::Value {
            serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
        };
        let words =
            ["map", "--partner", partner, "--operation", "quote.createQuote", "--direction", "to_legacy"];
        let (status, printed, told) = segue(&words, &message("1-sonata-request.json")["body"].to_string());
        assert_eq!((status, told.as_str()), (0, ""));
        let (call, body) = printed.split_once('\n').unwrap();
        assert_eq!(call, "POST /v2/offers");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, message("2-legacy-request.json")["body"], "{partner}");
    }
    for name in ["quote.declineQuote", "quote.rejectQuote"] {
        let (status, shown, _) = segue(&["show", "--partner", "stark", name], "");
        assert_eq!(status, 0, "{name}");
        assert!(shown.starts_with("# quote.declineQuote of stark is quote.rejectQuote here\n"), "{shown}");
        assert!(shown.contains("POST /v2/offers/{legacy.id}/decline"), "{shown}");
    }
    let (status, counted, _) = segue(&["coverage", "--partner", "stark", "quote.declineQuote"], "");
    assert!(status == 0 && counted.contains("\nstark    quote.declineQuote "), "{counted}");
    let (_, shown, _) = segue(&["show", "--partner", "globex", "quote.rejectQuote"], "");
    assert!(shown.starts_with("operation quote.rejectQuote"), "{shown}");
}
