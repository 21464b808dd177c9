//! The 120 pairs of the catalogue's `version_order.json` (SPEC S2), with the release days that the products by date need.
//!
//! `data/` holds compact copies: the test reads nothing outside the repository. A device may write a release in another way than
//! the catalogue does, so days are looked up by [`is_same`], never by the text alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::version::{Version, VersionScheme, compare, is_same};
use serde::Deserialize;

#[derive(Deserialize)]
struct Pair {
    id: String,
    product_a: String,
    a: String,
    product_b: String,
    b: String,
    order: String,
    why: String,
}

#[derive(Deserialize)]
struct Product {
    id: String,
    order_by: String,
    optional_prefix: Option<String>,
    #[serde(default)]
    released: BTreeMap<String, NaiveDate>,
}

impl Product {
    fn scheme(&self) -> VersionScheme {
        VersionScheme {
            by_release_date: self.order_by == "release_date",
            optional_prefix: self.optional_prefix.clone(),
        }
    }

    fn version<'a>(&self, text: &'a str) -> Version<'a> {
        let scheme = self.scheme();
        let released = self
            .released
            .iter()
            .find(|(known, _)| is_same(&scheme, known, text))
            .map(|(_, day)| *day);
        Version { text, released }
    }
}

fn pairs() -> Vec<Pair> {
    serde_json::from_str(include_str!("data/version_order.json")).expect("pairs")
}

fn products() -> BTreeMap<String, Product> {
    let products: Vec<Product> = serde_json::from_str(include_str!("data/products.json")).expect("products");
    products
        .into_iter()
        .map(|product| (product.id.clone(), product))
        .collect()
}

/// Step 1 is the caller's: versions of different products are unordered.
fn word(products: &BTreeMap<String, Product>, pair: &Pair) -> &'static str {
    if pair.product_a != pair.product_b {
        return "unordered";
    }
    let product = &products[&pair.product_a];
    compare(&product.scheme(), product.version(&pair.a), product.version(&pair.b)).word()
}

#[test]
fn all_pairs_of_the_catalogue_stand_as_it_says_s2() {
    let products = products();
    let pairs = pairs();
    assert_eq!(pairs.len(), 120);
    let wrong: Vec<String> = pairs
        .iter()
        .filter(|pair| word(&products, pair) != pair.order)
        .map(|pair| {
            format!(
                "{}: {} {} {}, not {}: {}",
                pair.id,
                pair.a,
                pair.order,
                pair.b,
                word(&products, pair),
                pair.why
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_turned_round_is_the_opposite_s2() {
    let products = products();
    for pair in pairs() {
        let expected = match pair.order.as_str() {
            "lt" => "gt",
            "gt" => "lt",
            _ => word(&products, &pair),
        };
        let turned = Pair {
            a: pair.b,
            b: pair.a,
            product_a: pair.product_b,
            product_b: pair.product_a,
            ..pair
        };
        assert_eq!(word(&products, &turned), expected, "{}", turned.id);
    }
}
