//! Book hashes.

use feeds::polymarket::hash::{BookText, book_hash};

use crate::{each_row, hex};

#[test]
fn vectors_of_book_hashes() {
    let mut preimage = String::new();
    each_row("polymarket_book_hash.json", |row| {
        let levels = |side: &str| -> Vec<(&str, &str)> {
            let list = row.input(side).as_array().unwrap();
            let text = |level: &'_ serde_json::Value, key: &str| level[key].as_str().is_some();
            assert!(list.iter().all(|l| text(l, "price") && text(l, "size")), "{}", row.what);
            list.iter()
                .map(|l| (l["price"].as_str().unwrap(), l["size"].as_str().unwrap()))
                .collect()
        };
        let (bids, asks) = (levels("bids"), levels("asks"));
        let stated = row.output("sha1").as_str().unwrap();
        let book = BookText {
            market: row.text("market"),
            asset_id: row.text("asset_id"),
            timestamp: row.text("timestamp"),
            hash: stated,
            bids: &bids,
            asks: &asks,
            min_order_size: row.input("min_order_size").as_str(),
            tick_size: row.input("tick_size").as_str(),
            neg_risk: row.input("neg_risk").as_bool(),
            last_trade_price: row.input("last_trade_price").as_str(),
        };
        let hash = book_hash(&book, &mut preimage).unwrap_or_else(|| panic!("{}", row.what));
        row.gives("preimage", &preimage);
        assert_eq!(hex(&hash).trim_start_matches("0x"), stated, "{}", row.what);
    });
}
