//! As much of GraphQL as the queries use, executed over JSON: a field that is not asked for is not
//! answered, and each query is priced by GitHub's published rule.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// An operation with its variables filled in.
pub(super) struct Query {
    selection: Vec<Selection>,
    fragments: HashMap<String, Vec<Selection>>,
}

#[derive(Clone)]
enum Selection {
    Field(Field),
    Spread(String),
    Inline(String, Vec<Selection>),
}

#[derive(Clone)]
struct Field {
    key: String,
    name: String,
    arguments: Map<String, Value>,
    selection: Vec<Selection>,
}

impl Query {
    pub(super) fn read(document: &str, operation: &str, variables: &Value) -> Self {
        let mut reader = Reader { tokens: tokens(document), at: 0, variables };
        let mut query = Self { selection: Vec::new(), fragments: HashMap::new() };
        while reader.at < reader.tokens.len() {
            match reader.next().as_str() {
                "query" => {
                    let name = if reader.peek() == "{" { String::new() } else { reader.next() };
                    if reader.peek() == "(" {
                        while reader.next() != ")" {}
                    }
                    let selection = reader.selection();
                    if name == operation {
                        query.selection = selection;
                    }
                }
                "fragment" => {
                    let name = reader.next();
                    assert_eq!(reader.next(), "on");
                    reader.next();
                    let selection = reader.selection();
                    query.fragments.insert(name, selection);
                }
                other => panic!("{other}"),
            }
        }
        assert!(!query.selection.is_empty(), "no operation {operation}");
        query
    }

    /// "Add up the number of requests needed to fulfill each unique connection in the call.
    /// Assume every request will reach the first or last argument limits. Divide the number by 100
    /// and round the result. The minimum cost is 1."
    pub(super) fn points(&self) -> u64 {
        let (mut requests, mut nodes) = (0, 0);
        self.count(&self.selection, 1, &mut requests, &mut nodes);
        assert!(nodes <= 500_000, "{nodes} nodes");
        ((requests + 50) / 100).max(1)
    }

    fn count(&self, selection: &[Selection], times: u64, requests: &mut u64, nodes: &mut u64) {
        for part in selection {
            match part {
                Selection::Field(field) => {
                    let limit = field.arguments.get("first").or(field.arguments.get("last"));
                    let limit = limit.and_then(Value::as_u64);
                    if let Some(limit) = limit {
                        assert!((1..=100).contains(&limit), "first: {limit}");
                        *requests += times;
                        *nodes += times * limit;
                    }
                    self.count(&field.selection, times * limit.unwrap_or(1), requests, nodes);
                }
                Selection::Spread(name) => {
                    self.count(&self.fragments[name], times, requests, nodes);
                }
                Selection::Inline(_, inner) => self.count(inner, times, requests, nodes),
            }
        }
    }

    /// What the operation shows of an object.
    pub(super) fn show(&self, object: &Value) -> Value {
        self.shown(&self.selection, object)
    }

    fn shown(&self, selection: &[Selection], object: &Value) -> Value {
        let mut out = Map::new();
        self.collect(selection, object, &mut out);
        Value::Object(out)
    }

    fn collect(&self, selection: &[Selection], object: &Value, out: &mut Map<String, Value>) {
        for part in selection {
            match part {
                Selection::Field(field) => {
                    let value = object.get(&field.name);
                    let value = value.unwrap_or_else(|| panic!("no {} in {object}", field.name));
                    out.insert(field.key.clone(), self.value(field, value));
                }
                Selection::Spread(name) => self.collect(&self.fragments[name], object, out),
                Selection::Inline(kind, inner) if object["__typename"] == kind.as_str() => {
                    self.collect(inner, object, out);
                }
                Selection::Inline(..) => {}
            }
        }
    }

    fn value(&self, field: &Field, value: &Value) -> Value {
        match value {
            Value::Array(elements) => self.page(field, elements),
            Value::Object(_) => self.shown(&field.selection, value),
            scalar => {
                assert!(field.selection.is_empty() || scalar.is_null(), "{} is one", field.name);
                scalar.clone()
            }
        }
    }

    fn page(&self, field: &Field, elements: &[Value]) -> Value {
        let mut elements: Vec<&Value> = elements.iter().collect();
        let arguments = &field.arguments;
        if let Some(labels) = arguments.get("labels") {
            let label = &labels[0];
            elements
                .retain(|e| e["labels"].as_array().unwrap().iter().any(|l| l["name"] == *label));
        }
        if let Some(since) = arguments.get("filterBy").map(|filter| filter["since"].clone()) {
            elements.retain(|e| e["updatedAt"].as_str() >= since.as_str());
        }
        if arguments.get("states").is_some() {
            elements.retain(|e| e["closedAt"].is_null());
        }
        if let Some(since) = arguments.get("since") {
            elements.retain(|e| e["committedDate"].as_str() >= since.as_str());
        }
        if let Some(order) = arguments.get("orderBy") {
            let by = if order["field"] == "UPDATED_AT" { "updatedAt" } else { "createdAt" };
            elements.sort_by(|a, b| b[by].as_str().cmp(&a[by].as_str()));
            if order["direction"] == "ASC" {
                elements.reverse();
            }
        }
        let first = usize::try_from(arguments["first"].as_u64().unwrap()).unwrap();
        let after = arguments.get("after").and_then(Value::as_str);
        let begin = after.map_or(0, |after| after.strip_prefix("end ").unwrap().parse().unwrap());
        let end = elements.len().min(begin + first);
        let nodes: Vec<&Value> = elements[begin.min(end)..end].to_vec();
        let last = (!nodes.is_empty()).then(|| format!("end {end}"));
        let connection = json!({
            "__typename": "Connection",
            "totalCount": elements.len(),
            "pageInfo": { "hasNextPage": end < elements.len(), "endCursor": last },
        });
        let mut out = Map::new();
        for part in &field.selection {
            let Selection::Field(inner) = part else { panic!("a connection's field") };
            let shown = if inner.name == "nodes" {
                nodes.iter().map(|node| self.shown(&inner.selection, node)).collect()
            } else {
                self.value(inner, &connection[&inner.name])
            };
            out.insert(inner.key.clone(), shown);
        }
        Value::Object(out)
    }
}

struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    variables: &'a Value,
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn skip(&mut self, token: &str) -> bool {
        let is_it = self.peek() == token;
        self.at += usize::from(is_it);
        is_it
    }

    fn selection(&mut self) -> Vec<Selection> {
        assert_eq!(self.next(), "{");
        let mut selection = Vec::new();
        while !self.skip("}") {
            if self.skip("...") {
                let name = self.next();
                selection.push(if name == "on" {
                    let kind = self.next();
                    Selection::Inline(kind, self.selection())
                } else {
                    Selection::Spread(name)
                });
                continue;
            }
            let key = self.next();
            let name = if self.skip(":") { self.next() } else { key.clone() };
            let mut arguments = Map::new();
            if self.skip("(") {
                while !self.skip(")") {
                    let argument = self.next();
                    assert_eq!(self.next(), ":");
                    let value = self.value();
                    arguments.insert(argument, value);
                }
            }
            let mut is_included = true;
            if self.skip("@") {
                assert_eq!((self.next(), self.next()), ("include".into(), "(".into()));
                assert_eq!((self.next(), self.next()), ("if".into(), ":".into()));
                is_included = self.value() == true;
                assert_eq!(self.next(), ")");
            }
            let selection_of = if self.peek() == "{" { self.selection() } else { Vec::new() };
            if !is_included {
                continue;
            }
            selection.push(Selection::Field(Field {
                key,
                name,
                arguments,
                selection: selection_of,
            }));
        }
        selection
    }

    fn value(&mut self) -> Value {
        let token = self.next();
        match token.as_str() {
            "$" => {
                let name = self.next();
                self.variables.get(&name).cloned().unwrap_or(Value::Null)
            }
            "[" => {
                let mut list = Vec::new();
                while !self.skip("]") {
                    list.push(self.value());
                }
                Value::Array(list)
            }
            "{" => {
                let mut object = Map::new();
                while !self.skip("}") {
                    let key = self.next();
                    assert_eq!(self.next(), ":");
                    let value = self.value();
                    object.insert(key, value);
                }
                Value::Object(object)
            }
            literal => serde_json::from_str(literal).unwrap_or_else(|_| json!(literal)),
        }
    }
}

fn tokens(document: &str) -> Vec<String> {
    let lines = document.lines().map(|line| line.split('#').next().unwrap());
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = if rest.starts_with("...") {
            3
        } else if first == '"' {
            rest[1..].find('"').unwrap() + 2
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    }
    tokens
}

#[test]
fn the_price_of_githubs_own_example_is_githubs() {
    let document = "query { viewer { login repositories(first: 100) { edges { node { id
        issues(first: 50) { edges { node { id labels(first: 60) { edges { node { id name } } } } } }
        } } } } }";
    assert_eq!(Query::read(document, "", &Value::Null).points(), 51);
}
