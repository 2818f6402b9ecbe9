//! The set of recipes: how they stand on one another, and the key of each, which
//! changes exactly when what it would build may change.

use std::collections::{BTreeMap, BTreeSet};

use include_dir::{Dir, include_dir};

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::recipe::{Kind, Recipe};

static IMAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../images");

/// Raised when the builder itself makes other bytes of the same recipe.
const FORMAT: &str = "landfall-image-3";

#[derive(Debug, Clone)]
pub struct Recipes {
    recipes: BTreeMap<String, (Recipe, String)>,
}

impl Recipes {
    /// Those in `images/`, which the program carries.
    pub fn bundled() -> Result<Self> {
        let files = IMAGES.files().filter(|f| f.path().extension().is_some_and(|e| e == "toml"));
        Self::parse(
            files.map(|f| (f.path().display().to_string(), f.contents_utf8().unwrap_or_default().to_owned())),
        )
    }

    /// Of (file name, text) pairs.
    pub fn parse(files: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut recipes: BTreeMap<String, (Recipe, String)> = BTreeMap::new();
        for (file, text) in files {
            let recipe = Recipe::parse(&file, &text)?;
            if recipes.contains_key(&recipe.name) {
                return Err(Error::Recipe {
                    file,
                    reason: format!("a second recipe called `{}`", recipe.name),
                });
            }
            recipes.insert(recipe.name.clone(), (recipe, text));
        }
        let set = Self { recipes };
        for recipe in set.iter() {
            set.check_parents(recipe)?;
        }
        Ok(set)
    }

    fn check_parents(&self, recipe: &Recipe) -> Result<()> {
        let mut seen = BTreeSet::new();
        let mut at = recipe;
        while at.from != "scratch" {
            let bad = |reason: String| Error::Recipe { file: format!("{}.toml", at.name), reason };
            if !seen.insert(&at.name) {
                return Err(bad(format!("`{}` stands on itself", at.name)));
            }
            let parent = self
                .recipes
                .get(&at.from)
                .ok_or_else(|| bad(format!("from = \"{}\": there is no such recipe", at.from)))?;
            if parent.0.kind != Kind::Layer {
                return Err(bad(format!("from = \"{}\": that is not a layer", at.from)));
            }
            at = &parent.0;
        }
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.recipes.values().map(|(recipe, _)| recipe)
    }

    pub fn get(&self, name: &str) -> Result<&Recipe> {
        self.recipes
            .get(name)
            .map(|(recipe, _)| recipe)
            .ok_or_else(|| Error::UnknownImage { name: name.to_owned(), nearest: self.nearest(name) })
    }

    fn nearest(&self, name: &str) -> Option<String> {
        self.recipes
            .keys()
            .map(|known| (strsim::jaro_winkler(known, name), known))
            .filter(|(score, _)| *score > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known.clone())
    }

    /// The recipes that `name` stands on, lowest first, without itself.
    pub fn parents(&self, name: &str) -> Result<Vec<&Recipe>> {
        let mut parents = Vec::new();
        let mut at = self.get(name)?;
        while at.from != "scratch" {
            at = self.get(&at.from)?;
            parents.push(at);
        }
        parents.reverse();
        Ok(parents)
    }

    /// Names and all that they stand on, each after what it needs.
    pub fn closure(&self, names: &[&str]) -> Result<Vec<&Recipe>> {
        let mut order: Vec<&Recipe> = Vec::new();
        for name in names {
            for recipe in self.parents(name)?.into_iter().chain([self.get(name)?]) {
                if !order.iter().any(|r| r.name == recipe.name) {
                    order.push(recipe);
                }
            }
        }
        Ok(order)
    }

    /// Of the recipe's text, its parents' keys and the programs that it carries.
    /// `binary` gives a program's identity: a digest that changes when its content may.
    pub fn key(&self, name: &str, binary: &dyn Fn(&str) -> Result<String>) -> Result<String> {
        let (recipe, text) = self
            .recipes
            .get(name)
            .ok_or_else(|| Error::UnknownImage { name: name.to_owned(), nearest: None })?;
        let mut hash = Sha256::new();
        hash.field(FORMAT);
        hash.field(std::env::consts::ARCH);
        if recipe.from != "scratch" {
            hash.field(&self.key(&recipe.from, binary)?);
        }
        hash.field(what_is_built(&recipe.name, text)?);
        for program in &recipe.binaries {
            hash.field(&binary(&program.name)?);
        }
        Ok(hash.hex())
    }
}

/// A recipe's text without what leaves the image as it is: comments, order, proofs.
fn what_is_built(name: &str, text: &str) -> Result<String> {
    let bad = |e: toml::de::Error| Error::Recipe { file: format!("{name}.toml"), reason: e.to_string() };
    let mut table: toml::Table = text.parse().map_err(bad)?;
    for field in ["check", "upstream"] {
        table.remove(field);
    }
    Ok(table.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(files: &[(&str, &str)]) -> Result<Recipes> {
        Recipes::parse(files.iter().map(|(name, rest)| {
            (format!("{name}.toml"), format!("name = \"{name}\"\ndescription = \"d\"\n{rest}"))
        }))
    }

    #[test]
    fn the_bundled_recipes_are_good() {
        let recipes = Recipes::bundled().unwrap();
        for name in
            ["keystone", "mariadb", "rabbitmq", "memcached", "openstackclient", "agent", "pause", "node"]
        {
            assert!(recipes.get(name).is_ok(), "{name}");
        }
        // What pods of different charts may share must not be told apart by numbers alone.
        assert_eq!(recipes.get("keystone").unwrap().ids_of("keystone"), Some((42424, 42424)));
        assert_eq!(recipes.get("mariadb").unwrap().ids_of("mysql"), Some((999, 999)));
        assert_eq!(recipes.get("rabbitmq").unwrap().ids_of("rabbitmq"), Some((999, 999)));
    }

    #[test]
    fn a_key_changes_with_a_parent_and_with_a_binary() {
        let of = |base: &str, id: &str| {
            set(&[
                ("base", &format!("kind = \"layer\"\nfrom = \"scratch\"\n{base}")),
                ("x", "from = \"base\"\n[[binary]]\nname = \"b\"\npath = \"/b\""),
            ])
            .unwrap()
            .key("x", &|_| Ok(id.to_owned()))
            .unwrap()
        };
        assert_eq!(of("", "1"), of("", "1"));
        assert_ne!(of("", "1"), of("packages = [\"a\"]", "1"));
        assert_ne!(of("", "1"), of("", "2"));
    }

    #[test]
    fn a_key_does_not_change_with_a_comment_or_a_check() {
        let of = |rest: &str| {
            set(&[("a", &format!("from = \"scratch\"\n{rest}"))])
                .unwrap()
                .key("a", &|_| Ok(String::new()))
                .unwrap()
        };
        assert_eq!(of(""), of("# a word\ncheck = [[\"true\"]]\nupstream = [\"x\"]"));
        assert_ne!(of(""), of("remove = [\"/x\"]"));
    }

    #[test]
    fn parents_come_first_and_once() {
        let recipes = set(&[
            ("base", "kind = \"layer\"\nfrom = \"scratch\""),
            ("python", "kind = \"layer\"\nfrom = \"base\""),
            ("a", "from = \"python\""),
            ("b", "from = \"base\""),
        ])
        .unwrap();
        let names: Vec<_> = recipes.closure(&["b", "a"]).unwrap().iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["base", "b", "python", "a"]);
        assert!(recipes.key("a", &|_| Ok(String::new())).is_ok());
    }

    #[test]
    fn bad_parents_are_told() {
        let said = |files: &[(&str, &str)]| set(files).unwrap_err().to_string();
        assert!(said(&[("a", "from = \"b\"")]).contains("there is no such recipe"));
        assert!(said(&[("a", "from = \"b\""), ("b", "from = \"scratch\"")]).contains("not a layer"));
        let ring = [("a", "kind = \"layer\"\nfrom = \"b\""), ("b", "kind = \"layer\"\nfrom = \"a\"")];
        assert!(said(&ring).contains("stands on itself"));
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let recipes = Recipes::bundled().unwrap();
        let said = recipes.get("keystne").unwrap_err().to_string();
        assert!(said.contains("did you mean `keystone`"), "{said}");
    }
}
