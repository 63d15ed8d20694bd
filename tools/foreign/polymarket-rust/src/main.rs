//! Trades on the simulated Polymarket with the venue's own Rust SDK: logs in, lists, subscribes,
//! places, cancels, takes. Its argument is the folder of `parallax sim`; the CA comes in
//! `SSL_CERT_FILE`. Every step must work, or the program fails.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::{Stream, StreamExt};
use polymarket_client_sdk_v2::auth::{LocalSigner, Signer as _};
use polymarket_client_sdk_v2::clob::types::request::{
    BalanceAllowanceRequest, OrdersRequest, TradesRequest,
};
use polymarket_client_sdk_v2::clob::types::{Amount, AssetType, OrderType, Side, SignatureType};
use polymarket_client_sdk_v2::clob::{Client, Config};
use polymarket_client_sdk_v2::types::{Address, Decimal};
use polymarket_client_sdk_v2::{POLYGON, clob, gamma, ws};

/// How long a step waits for a message.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).context("usage: foreign-polymarket-rust DIR")?);
    // Two of the SDK's dependencies bring a TLS provider each.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sim: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.join("sim.json")).context("sim.json")?)?;
    let venue = &sim["polymarket"];
    let text = |key: &str| venue[key].as_str().with_context(|| format!("{key} in sim.json"));
    let key = std::fs::read_to_string(dir.join("polymarket.key")).context("polymarket.key")?;
    let signer = key.trim().parse::<LocalSigner<_>>()?.with_chain_id(Some(POLYGON));
    let funder: Address = text("funder")?.parse()?;
    let host = text("rest")?;

    let listed = gamma::Client::new(host)?.markets(&Default::default()).await?;
    ensure!(!listed.is_empty(), "Gamma lists nothing");
    let config = || Config::builder().geoblock_host(host).build();
    let client = Client::new(host, config())?;
    ensure!(!client.check_geoblock().await?.blocked, "blocked");
    let page = client.markets(Some("MA==".into())).await?;
    let market = page
        .data
        .iter()
        .find(|market| market.accepting_orders && market.seconds_delay == 0)
        .context("no market takes orders")?;
    let condition = market.condition_id.context("a market without an id")?;
    let tokens = [market.tokens[0].token_id, market.tokens[1].token_id];
    let info = client.clob_market_info(&condition.to_string()).await?;
    println!(
        "listed {} markets; trading {condition} on a tick of {:?}",
        page.data.len(),
        info.min_tick_size
    );

    let kind = match venue["signature_type"].as_u64() {
        Some(0) => SignatureType::Eoa,
        Some(1) => SignatureType::Proxy,
        Some(2) => SignatureType::GnosisSafe,
        _ => SignatureType::Poly1271,
    };
    let mut log_in = client.authentication_builder(&signer).signature_type(kind);
    if !matches!(kind, SignatureType::Eoa) {
        log_in = log_in.funder(funder);
    }
    let client = log_in.authenticate().await?;
    let request = BalanceAllowanceRequest::builder().asset_type(AssetType::Collateral).build();
    let balance = client.balance_allowance(request).await?.balance;
    println!("logged in as {}; {balance} micro-pUSD", client.address());

    let base = host.replace("https://", "wss://");
    let sockets = clob::ws::Client::new(&base, ws::config::Config::default())?;
    let mut books = Box::pin(sockets.subscribe_orderbook(tokens.to_vec())?);
    let book = wait(&mut books, |_| true).await.context("book")?;
    let hash = book.hash.clone();
    println!(
        "book of {}: {} bids, {} asks, {hash:?}",
        book.asset_id,
        book.bids.len(),
        book.asks.len()
    );
    let private = clob::ws::Client::new(&base, ws::config::Config::default())?
        .authenticate(client.credentials().clone(), client.address())?;
    let mut orders = Box::pin(private.subscribe_orders(vec![condition])?);
    let mut trades = Box::pin(private.subscribe_trades(vec![condition])?);
    // The streams connect when they are first polled.
    let listens = futures::future::join(next(&mut orders), next(&mut trades));
    let _ = tokio::time::timeout(Duration::from_secs(1), listens).await;

    let tick = market.minimum_tick_size;
    let limit = client.limit_order().token_id(tokens[0]).order_type(OrderType::GTC);
    let limit = limit.price(tick).size(Decimal::from(200)).side(Side::Buy).build().await?;
    let placed = client.post_order(client.sign(&signer, limit).await?).await?;
    ensure!(placed.success && !placed.order_id.is_empty(), "not placed: {placed:?}");
    let id = placed.order_id.clone();
    wait(&mut orders, |order| order.id == id).await.context("the placement's event")?;
    let open = client.orders(&OrdersRequest::default(), None).await?;
    ensure!(open.data.iter().any(|order| order.id == id), "not listed: {open:?}");
    let gone = client.cancel_order(&id).await?;
    ensure!(gone.canceled == [id.clone()], "not cancelled: {gone:?}");
    println!("placed and cancelled {id}");

    let market_order =
        client.market_order().token_id(tokens[0]).amount(Amount::usdc(Decimal::from(20))?);
    let market_order = market_order.side(Side::Buy).order_type(OrderType::FAK).build().await?;
    let taken = client.post_order(client.sign(&signer, market_order).await?).await?;
    ensure!(!taken.trade_ids.is_empty(), "nothing taken: {taken:?}");
    println!("took {} shares for {} pUSD", taken.taking_amount, taken.making_amount);
    let trade = &taken.trade_ids[0];
    wait(&mut trades, |event| event.id == *trade).await.context("the trade's event")?;
    let request = TradesRequest::builder().id(trade.clone()).build();
    let rows = client.trades(&request, None).await?;
    ensure!(rows.data.iter().any(|row| row.id == *trade), "no row of the trade: {rows:?}");
    println!("foreign client: ok");
    Ok(())
}

async fn next<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> Option<T> {
    futures::StreamExt::next(stream).await
}

/// The first message that fits.
async fn wait<T, E>(
    stream: &mut (impl Stream<Item = Result<T, E>> + Unpin),
    fits: impl Fn(&T) -> bool,
) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let search = async {
        while let Some(message) = stream.next().await {
            let message = message?;
            if fits(&message) {
                return Ok(message);
            }
        }
        anyhow::bail!("the stream ended")
    };
    tokio::time::timeout(PATIENCE, search).await.context("nothing came")?
}
