// Kalshi's own client against the simulated venue: log in, list, subscribe, place, fill, cancel.
//
// node trade.mjs DIR    DIR is what `parallax sim kalshi --kalshi-key rsa --dir DIR` wrote.
// NODE_EXTRA_CA_CERTS must name DIR/ca.pem: nothing here turns verification off. The client up to
// 3.30 signs with RSA alone, hence that key.

import assert from 'node:assert/strict';
import { constants, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import kalshi from 'kalshi-typescript';
import WebSocket from 'ws';

const dir = process.argv[2];
assert.ok(dir, 'usage: node trade.mjs DIR');
const venue = JSON.parse(readFileSync(join(dir, 'sim.json'), 'utf8')).kalshi;
const key = readFileSync(venue.key_file, 'utf8');
const configuration = new kalshi.Configuration({
  apiKey: venue.key_id,
  privateKeyPem: key,
  basePath: venue.rest,
  baseOptions: { timeout: 10_000 },
});
const portfolio = new kalshi.PortfolioApi(configuration);
const markets = new kalshi.MarketApi(configuration);
const orders = new kalshi.OrdersApi(configuration);

const say = (what, more) => console.log(`${what.padEnd(10)} ${more}`);

/** Headers of the WebSocket's upgrade, which the client leaves to its user. */
function upgradeHeaders() {
  const stamp = Date.now().toString();
  const text = Buffer.from(`${stamp}GET${new URL(venue.ws).pathname}`);
  const parsed = createPrivateKey(key);
  const pss = { key: parsed, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const isRsa = parsed.asymmetricKeyType === 'rsa';
  const signature = isRsa ? sign('sha256', text, pss) : sign(null, text, parsed);
  return {
    'KALSHI-ACCESS-KEY': venue.key_id,
    'KALSHI-ACCESS-TIMESTAMP': stamp,
    'KALSHI-ACCESS-SIGNATURE': signature.toString('base64'),
  };
}

/** A WebSocket that keeps what it hears; `until` waits for a frame. */
function listen() {
  const socket = new WebSocket(venue.ws, { headers: upgradeHeaders(), perMessageDeflate: false });
  const frames = [];
  const waiting = new Set();
  socket.on('message', (data) => {
    frames.push(JSON.parse(data));
    waiting.forEach((look) => look());
  });
  const opened = new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  const until = (what, wanted) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} within 10 s`)), 10_000);
      const look = () => {
        const frame = frames.find(wanted);
        if (frame) {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(frame);
        }
      };
      waiting.add(look);
      look();
    });
  return { socket, opened, until };
}

const { data: balance } = await portfolio.getBalance();
say('log in', `${balance.balance_dollars} dollars on ${balance.balance_breakdown.length} shards`);

const { data: page } = await markets.getMarkets(100, undefined, undefined, undefined, undefined,
  undefined, undefined, undefined, undefined, undefined, undefined, 'open');
assert.ok(page.markets.length > 0, 'no open market');
const market = page.markets.find((one) => Number(one.yes_ask_size_fp) >= 1) ?? page.markets[0];
say('list', `${page.markets.length} markets, ${market.ticker} at ${market.yes_bid_dollars} / ${market.yes_ask_dollars}`);

const { socket, opened, until } = listen();
await opened;
const tickers = { market_tickers: [market.ticker] };
socket.send(JSON.stringify({ id: 1, cmd: 'subscribe', params: { channels: ['orderbook_delta'], use_yes_price: true, ...tickers } }));
socket.send(JSON.stringify({ id: 2, cmd: 'subscribe', params: { channels: ['fill', 'user_orders'], ...tickers } }));
const snapshot = await until('snapshot', (frame) => frame.type === 'orderbook_snapshot');
assert.equal(snapshot.seq, 1);
await until('subscription', (frame) => frame.type === 'subscribed' && frame.msg.channel === 'user_orders');
say('subscribe', `${snapshot.msg.yes_dollars_fp?.length ?? 0} bids, ${snapshot.msg.no_dollars_fp?.length ?? 0} asks`);

const order = (more) => ({
  ticker: market.ticker,
  client_order_id: randomUUID(),
  side: 'bid',
  count: '1.00',
  self_trade_prevention_type: 'taker_at_cross',
  exchange_index: market.exchange_index,
  ...more,
});

// The lowest price of its grid rests; a dollar less the last step takes whatever is asked.
const low = Number(market.price_ranges[0].step).toFixed(4);
const high = (1 - Number(market.price_ranges.at(-1).step)).toFixed(4);
const resting = order({ price: low, time_in_force: 'good_till_canceled' });
const { status, data: placed } = await orders.createOrderV2(resting);
assert.equal(status, 201);
assert.equal(placed.remaining_count, '1.00');
await until('resting order', (frame) => frame.type === 'user_order' && frame.msg.order_id === placed.order_id);
await until('own delta', (frame) => frame.type === 'orderbook_delta' && frame.msg.client_order_id === resting.client_order_id);
say('place', `${placed.order_id} rests at ${low}`);

const refused = await orders.createOrderV2(resting).then(() => null, (error) => error.response);
assert.equal(refused?.status, 409);
assert.equal(refused.data.error.code, 'order_already_exists');
say('repeat', 'refused with 409 order_already_exists');

const { data: canceled } = await orders.cancelOrderV2(placed.order_id, undefined, market.exchange_index, market.ticker);
assert.equal(canceled.reduced_by, '1.00');
await until('cancel', (frame) => frame.type === 'user_order' && frame.msg.status === 'canceled');
say('cancel', `reduced by ${canceled.reduced_by}`);

const { data: taken } = await orders.createOrderV2(order({ price: high, time_in_force: 'immediate_or_cancel' }));
assert.equal(taken.fill_count, '1.00', 'nothing was asked');
const fill = await until('fill', (frame) => frame.type === 'fill' && frame.msg.order_id === taken.order_id);
const { data: fills } = await portfolio.getFills(market.ticker, taken.order_id);
assert.equal(fills.fills[0].trade_id, fill.msg.trade_id);
const { data: positions } = await portfolio.getPositions();
const position = positions.market_positions.find((one) => one.ticker === market.ticker);
assert.equal(position?.position_fp, '1.00');
const { data: after } = await portfolio.getBalance();
const micros = (dollars) => BigInt(dollars.replace('.', '')) * 10n ** BigInt(6 - dollars.split('.')[1].length);
const hundredths = (count) => BigInt(count.replace('.', ''));
const cost = (one) => (micros(one.yes_price_dollars) * hundredths(one.count_fp)) / 100n + micros(one.fee_cost);
const paid = fills.fills.reduce((sum, one) => sum + cost(one), 0n);
assert.equal(micros(balance.balance_dollars) - micros(after.balance_dollars), paid);
say('fill', `at ${fill.msg.yes_price_dollars}, fee ${fill.msg.fee_cost}: the balance agrees`);

socket.close();
console.log('kalshi-typescript traded');
