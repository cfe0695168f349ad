//! Questions as people write them, and those that would break the rule that they are put into.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn shape(text: &str) -> String {
    match Query::parse(text) {
        Ok(Query::Selector(selector)) => format!("selector {selector}"),
        Ok(Query::PerSecond(template)) => format!("rate {}", template.over("5m")),
        Ok(Query::Count(template)) => format!("count {}", template.over("5m")),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn a_query_is_a_selector_or_an_expression_over_a_window() {
    for (text, expected) in [
        ("requests_total", "selector requests_total"),
        (" a:b_total { x='1', y!~`a\\d`, }\n", "selector a:b_total { x='1', y!~`a\\d`, }"),
        (r#"{__name__="a",b=~"c|d"}"#, r#"selector {__name__="a",b=~"c|d"}"#),
        (r#"{"a.b", "c.d"="e"}"#, r#"selector {"a.b", "c.d"="e"}"#),
        ("a{}", "selector a{}"),
        (r#"sum(rate(a{b="c"}[{{.window}}]))"#, r#"selector a{b="c"}"#),
        ("increase( a [ {{ .window }} ] )", "selector a"),
        ("sum (increase(a[{{.window}}]))", "selector a"),
        ("sum by (x) (rate(a[{{.window}}]))", "rate sum by (x) (rate(a[5m]))"),
        ("sum(increase(a[{{.window}}])) * 2", "count sum(increase(a[5m])) * 2"),
        ("rate(a[{{.window}}])-rate(b[{{.window}}])", "rate rate(a[5m])-rate(b[5m])"),
        ("(rate(a[{{.window}}])) + (rate(b[1m]))", "rate (rate(a[5m])) + (rate(b[1m]))"),
        (
            "sum_over_time((rate(a[1m]) > 1)[{{.window}}:1m])",
            "rate sum_over_time((rate(a[1m]) > 1)[5m:1m])",
        ),
        ("rate(a[{{.window}}] offset 1m)", "rate rate(a[5m] offset 1m)"),
        ("rate(increase[{{.window}}])", "selector increase"),
        (
            r#"rate(a{b="increase(x)"}[{{.window}}]) + 0"#,
            r#"rate rate(a{b="increase(x)"}[5m]) + 0"#,
        ),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn comments_go_and_quotes_stay() {
    for (text, expected) in [
        ("# all\na # of them ]\n", "selector a"),
        ("a{b=\"# {{.window}} \\\" }\"}", "selector a{b=\"# {{.window}} \\\" }\"}"),
        ("a{b=`\n#`,#\"\nc='}'}", "selector a{b=`\n#`,\nc='}'}"),
        ("rate(a[{{.window}}])#\n#\n+ 1 # {{.window}}", "rate rate(a[5m])\n\n+ 1"),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn what_would_break_a_rule_is_refused() {
    let long = format!("a{{b=\"{}\"}}", "c".repeat(10_000));
    for (text, expected) in [
        ("", QueryFault::Empty),
        ("# nothing", QueryFault::Empty),
        (&long, QueryFault::TooLong),
        ("rate(a[$__interval])", QueryFault::Character('$')),
        ("a;b", QueryFault::Character(';')),
        ("ä", QueryFault::Character('ä')),
        ("a{b=\"\u{7}\"}", QueryFault::Character('\u{7}')),
        ("a\u{a0}", QueryFault::Character('\u{a0}')),
        ("sum(rate(a[{{.window}}])", QueryFault::Open('(')),
        ("a{b=\"c\"", QueryFault::Open('{')),
        ("rate(a[{{.window}}])) or (b", QueryFault::Close(')')),
        ("sum(a]", QueryFault::Close(']')),
        ("a{b=\"c}", QueryFault::Quote('"')),
        ("a{b='c\n'}", QueryFault::Quote('\'')),
        ("a{b=`c}", QueryFault::Quote('`')),
        (r#"a{b="\d"}"#, QueryFault::Escape('d')),
        (r#"a{b="\'"}"#, QueryFault::Escape('\'')),
        (r#"a{b="\x1"}"#, QueryFault::Escape('x')),
        ("a{b=\"\\", QueryFault::Escape('\0')),
        ("rate(a[{{.interval}}])", QueryFault::Variable),
        ("rate(a[{{.window)", QueryFault::Variable),
        ("rate(a[5m]) * {{.window}}", QueryFault::Place),
        ("rate(a[5m:{{.window}}])", QueryFault::Place),
        ("{{.window}}", QueryFault::Place),
        ("rate(a[5m])", QueryFault::NoWindow),
        ("a offset 5m", QueryFault::NoWindow),
        ("a + b", QueryFault::NoWindow),
        ("a{b}", QueryFault::NoWindow),
        ("a{b=c}", QueryFault::NoWindow),
        ("a{b= ~\"c\"}", QueryFault::NoWindow),
        ("a{,}", QueryFault::NoWindow),
        ("{}", QueryFault::Everything),
        ("sum_over_time(a[{{.window}}])", QueryFault::NoUnit),
        ("irate(a[{{.window}}])", QueryFault::NoUnit),
        ("rate + a{rate=\"1\"}[{{.window}}]", QueryFault::NoUnit),
        ("rate(a[{{.window}}]) + increase(b[{{.window}}])", QueryFault::TwoUnits),
    ] {
        assert_eq!(Query::parse(text).err(), Some(expected), "{text}");
    }
}

#[test]
fn a_share_needs_a_window_and_no_unit() {
    let share = |text| Template::parse(text).map(|template| template.over("1h"));
    assert_eq!(
        share("1 - avg_over_time(up[{{.window}}])"),
        Ok("1 - avg_over_time(up[1h])".to_owned())
    );
    assert_eq!(
        share("sum(rate(a[{{.window}}])) / sum(rate(b[{{.window}}]))"),
        Ok("sum(rate(a[1h])) / sum(rate(b[1h]))".to_owned())
    );
    assert_eq!(share("job:errors:ratio1h"), Err(QueryFault::NoWindow));
}

/// Words that mean something to PromQL or to a template, in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[ -~\n]{0,3}",
        prop::sample::select(vec![
            "sum(",
            "rate(",
            "increase(",
            ")",
            "[",
            "]",
            "{{.window}}",
            "{{",
            "}}",
            "{",
            "}",
            "\"",
            "'",
            "`",
            "\\",
            "#",
            "\n",
            "a",
            "a{b=\"c\"}",
            "[{{.window}}]",
            "5m",
            ":",
            ",",
            "=~",
            "ä",
            "\u{2028}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

/// Whether an expression can stand in parentheses without ending or swallowing what is around it.
fn is_whole(expr: &str) -> bool {
    Template::parse(&format!("a[{{{{.window}}}}] + ({expr}) # b"))
        .is_ok_and(|around| around.over("5m") == format!("a[5m] + ({expr})"))
}

proptest! {
    #[test]
    fn what_is_taken_stays_whole_within_a_rule(text in words()) {
        match Query::parse(&text) {
            Ok(Query::Selector(selector)) => {
                prop_assert!(is_whole(&selector), "{selector:?}");
                prop_assert_eq!(Query::parse(&selector), Ok(Query::Selector(selector)));
            }
            Ok(Query::PerSecond(template) | Query::Count(template)) => {
                prop_assert!(is_whole(&template.over("5m")), "{template:?}");
            }
            Err(fault) => prop_assert!(!fault.to_string().is_empty()),
        }
        if let Ok(template) = Template::parse(&text) {
            prop_assert!(is_whole(&template.over("5m")), "{template:?}");
        }
    }
}
