//! What one file says that the checks need: its imports, inline paths, definitions and sizes, taken
//! from its syntax tree so that nested groups, renames and macro arguments are seen.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

/// Everything found in one file. Module names are relative to the file's own module.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) mentions: Vec<Mention>,
    /// Items by the inline module that holds them (empty for the file itself) and their name.
    pub(crate) definitions: Vec<(Vec<String>, String)>,
    /// Inline modules, without those for tests.
    pub(crate) inline_modules: Vec<Vec<String>>,
    /// Modules declared here under `#[cfg(test)]` that stand in a file of their own.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// First and last lines of what only tests compile.
    pub(crate) test_lines: Vec<(usize, usize)>,
    /// First and last lines of string literals.
    pub(crate) strings: Vec<(usize, usize)>,
    pub(crate) functions: Vec<Size>,
    pub(crate) structs: Vec<Size>,
    /// Lines with `#[ignore]`.
    pub(crate) ignored: Vec<usize>,
    /// Whether the file, as a crate's root, turns the bans of `clippy.toml` on outside tests.
    pub(crate) bans: bool,
}

/// A path that the file names.
pub(crate) struct Mention {
    pub(crate) line: usize,
    /// The inline module in which it stands.
    pub(crate) module: Vec<String>,
    pub(crate) segments: Vec<String>,
    /// `::name`, which always means a crate.
    pub(crate) leading: bool,
    pub(crate) test: bool,
    pub(crate) import: Option<Import>,
}

/// The part of a mention that only `use` has.
pub(crate) struct Import {
    /// The name it brings into scope; `*` for a glob.
    pub(crate) name: String,
    /// Whether the name is handed on to others.
    pub(crate) reexport: bool,
}

/// A function's lines or a struct's fields.
pub(crate) struct Size {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) size: usize,
}

/// Reads one file; an error is the line and the words of the parser.
pub(crate) fn scan(text: &str) -> Result<Scan, (usize, String)> {
    let file = syn::parse_file(text).map_err(|e| (e.span().start().line, e.to_string()))?;
    let mut visitor = Visitor::default();
    visitor.found.bans = file.attrs.iter().any(turns_bans_on);
    for attribute in &file.attrs {
        visitor.visit_attribute(attribute);
    }
    for item in &file.items {
        visitor.visit_item(item);
    }
    strings(text.parse().unwrap_or_default(), &mut visitor.found.strings);
    Ok(visitor.found)
}

fn strings(tokens: TokenStream, lines: &mut Vec<(usize, usize)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => strings(group.stream(), lines),
            TokenTree::Literal(literal) if literal.to_string().contains('"') => {
                lines.push((literal.span().start().line, literal.span().end().line));
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Visitor {
    found: Scan,
    module: Vec<String>,
    /// How many enclosing items are compiled for tests only.
    test: usize,
}

impl Visitor {
    fn mention(&mut self, segments: Vec<String>, leading: bool, line: usize) {
        let (module, test) = (self.module.clone(), self.test > 0);
        let mention = Mention { line, module, segments, leading, test, import: None };
        self.found.mentions.push(mention);
    }

    fn imports(&mut self, tree: &UseTree, path: &mut Vec<String>, leading: bool, reexport: bool) {
        let (segment, name) = match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.imports(&part.tree, path, leading, reexport);
                path.pop();
                return;
            }
            UseTree::Group(group) => {
                for part in &group.items {
                    self.imports(part, path, leading, reexport);
                }
                return;
            }
            UseTree::Name(name) => (name.ident.to_string(), None),
            UseTree::Rename(name) => (name.ident.to_string(), Some(name.rename.to_string())),
            UseTree::Glob(_) => ("*".to_owned(), None),
        };
        let mut segments = path.clone();
        if segment != "self" || segments.is_empty() {
            segments.push(segment);
        }
        let last = segments.last().expect("a leaf of a use tree names something").clone();
        self.mention(segments, leading, tree.span().start().line);
        let mention = self.found.mentions.last_mut().expect("it was pushed in the line above");
        mention.import = Some(Import { name: name.unwrap_or(last), reexport });
    }

    /// Paths among the arguments of a macro or an attribute, which are tokens and not yet syntax.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.finish(&mut path, line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.finish(&mut path, line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.finish(&mut path, line);
                    colons = 0;
                }
            }
        }
        self.finish(&mut path, line);
    }

    fn finish(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.mention(std::mem::take(path), false, line);
        }
        path.clear();
    }

    fn function(&mut self, signature: &syn::Signature, end: usize) {
        if self.test == 0 {
            let line = signature.span().start().line;
            let name = signature.ident.to_string();
            self.found.functions.push(Size { line, name, size: end + 1 - line });
        }
    }

    /// Runs `inner` as test code where the attributes say so.
    fn guarded(&mut self, attributes: &[Attribute], inner: impl FnOnce(&mut Self)) {
        let test = attributes.iter().any(is_for_tests);
        self.test += usize::from(test);
        inner(self);
        self.test -= usize::from(test);
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = attributes_and_name(item);
        if let Some(name) = name {
            self.found.definitions.push((self.module.clone(), name));
        }
        if self.test == 0 && attributes.iter().any(is_for_tests) {
            let span = item.span();
            self.found.test_lines.push((span.start().line, span.end().line));
        }
        self.guarded(attributes, |this| visit::visit_item(this, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        match (&item.content, self.test > 0) {
            (None, true) => self.found.test_modules.push(self.module.clone()),
            (Some(_), false) => self.found.inline_modules.push(self.module.clone()),
            _ => {}
        }
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let reexport = !matches!(item.vis, Visibility::Inherited);
        self.imports(&item.tree, &mut Vec::new(), item.leading_colon.is_some(), reexport);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.mention(vec![item.ident.to_string()], true, item.span().start().line);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, item.span().end().line);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.guarded(&item.attrs, |this| {
            this.function(&item.sig, item.span().end().line);
            visit::visit_impl_item_fn(this, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig, item.span().end().line);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if self.test == 0 {
            let (line, name) = (item.ident.span().start().line, item.ident.to_string());
            self.found.structs.push(Size { line, name, size: item.fields.len() });
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let leading = path.leading_colon.is_some();
        if path.segments.len() > 1 || leading {
            let segments = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.mention(segments, leading, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    /// `pub(in path)` names an enclosing module, which is no import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, makro: &'ast syn::Macro) {
        self.visit_path(&makro.path);
        self.tokens(makro.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("ignore") {
            self.found.ignored.push(attribute.span().start().line);
        }
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
        self.visit_path(attribute.path());
    }
}

/// `#[test]`, a runner's `#[x::test]`, or a `cfg` that holds in test builds alone.
fn is_for_tests(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.segments.last().is_some_and(|last| last.ident == "test") {
        return true;
    }
    path.is_ident("cfg")
        && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
}

fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts =
        list.parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated);
    let Ok(parts) = parts else { return false };
    if list.path.is_ident("all") {
        parts.iter().any(needs_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
    }
}

/// `#![cfg_attr(not(test), warn(.., clippy::disallowed_methods, ..))]`.
fn turns_bans_on(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let text: String = list.tokens.to_string().chars().filter(|c| !c.is_whitespace()).collect();
    list.path.is_ident("cfg_attr")
        && text.starts_with("not(test),warn(")
        && text.contains("clippy::disallowed_methods")
}

fn attributes_and_name(item: &Item) -> (&[Attribute], Option<String>) {
    let (attributes, name) = match item {
        Item::Const(x) => (&x.attrs, Some(&x.ident)),
        Item::Enum(x) => (&x.attrs, Some(&x.ident)),
        Item::Fn(x) => (&x.attrs, Some(&x.sig.ident)),
        Item::Impl(x) => (&x.attrs, None),
        Item::Macro(x) => (&x.attrs, x.ident.as_ref()),
        Item::Mod(x) => (&x.attrs, Some(&x.ident)),
        Item::Static(x) => (&x.attrs, Some(&x.ident)),
        Item::Struct(x) => (&x.attrs, Some(&x.ident)),
        Item::Trait(x) => (&x.attrs, Some(&x.ident)),
        Item::Type(x) => (&x.attrs, Some(&x.ident)),
        Item::Union(x) => (&x.attrs, Some(&x.ident)),
        Item::Use(x) => (&x.attrs, None),
        _ => return (&[], None),
    };
    (attributes, name.map(ToString::to_string))
}
