"""Trades on the simulated Polymarket with the venue's own Python SDK.

Logs in, lists, subscribes, places, cancels, takes. Its argument is the folder of `parallax sim`;
the CA comes in SSL_CERT_FILE. Every step must work, or the script fails. The SDK has no sockets:
the user channel is listened to with a plain WebSocket client.
"""

import json
import pathlib
import ssl
import sys

from py_clob_client_v2 import (
    AssetType,
    BalanceAllowanceParams,
    BookParams,
    ClobClient,
    MarketOrderArgs,
    OpenOrderParams,
    OrderArgs,
    OrderPayload,
    OrderType,
    TradeParams,
)
from websockets.sync.client import connect

PATIENCE_S = 20


def wait(socket, fits):
    """The first event that fits; a frame is an object or an array of them."""
    while True:
        text = socket.recv(timeout=PATIENCE_S)
        if text == "PONG":
            continue
        frame = json.loads(text)
        for event in frame if isinstance(frame, list) else [frame]:
            if fits(event):
                return event


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: trade.py DIR")
    folder = pathlib.Path(sys.argv[1])
    venue = json.loads((folder / "sim.json").read_text())["polymarket"]
    key = (folder / "polymarket.key").read_text().strip()
    host = venue["rest"]

    anyone = ClobClient(host, 137)
    assert anyone.get_ok() == "OK"
    markets = anyone.get_markets()["data"]
    market = next(m for m in markets if m["accepting_orders"] and m["seconds_delay"] == 0)
    tokens = [token["token_id"] for token in market["tokens"]]
    books = anyone.get_order_books([BookParams(token_id=token) for token in tokens])
    assert [book["asset_id"] for book in books] == tokens, books
    print(f"listed {len(markets)} markets; trading {market['condition_id']}")

    wallet = {"signature_type": venue["signature_type"], "funder": venue["funder"]}
    client = ClobClient(host, 137, key=key, **wallet)
    creds = client.create_or_derive_api_key()
    client.set_api_creds(creds)
    money = BalanceAllowanceParams(
        asset_type=AssetType.COLLATERAL, signature_type=venue["signature_type"]
    )
    balance = client.get_balance_allowance(money)["balance"]
    print(f"logged in as {client.get_address()}; {balance} micro-pUSD")

    tls = ssl.create_default_context()
    with connect(venue["ws_market"], ssl=tls) as public, connect(venue["ws_user"], ssl=tls) as user:
        public.send(json.dumps({"type": "market", "assets_ids": tokens}))
        book = wait(public, lambda event: event["event_type"] == "book")
        auth = {
            "apiKey": creds.api_key,
            "secret": creds.api_secret,
            "passphrase": creds.api_passphrase,
        }
        user.send(json.dumps({"type": "user", "auth": auth, "markets": []}))
        user.send("PING")
        assert user.recv(timeout=PATIENCE_S) == "PONG"
        print(f"book of {book['asset_id']}: {len(book['bids'])} bids, {len(book['asks'])} asks")

        tick = float(client.get_tick_size(tokens[0]))
        rests = OrderArgs(token_id=tokens[0], price=tick, size=200, side="BUY")
        placed = client.create_and_post_order(rests, order_type=OrderType.GTC)
        assert placed["success"] and placed["status"] == "live", placed
        order = placed["orderID"]
        wait(user, lambda event: event["event_type"] == "order" and event["id"] == order)
        assert any(row["id"] == order for row in client.get_open_orders(OpenOrderParams()))
        gone = client.cancel_order(OrderPayload(orderID=order))
        assert gone["canceled"] == [order], gone
        print(f"placed and cancelled {order}")

        takes = MarketOrderArgs(token_id=tokens[0], amount=20, side="BUY", order_type=OrderType.FAK)
        taken = client.create_and_post_market_order(takes, order_type=OrderType.FAK)
        assert taken["status"] == "matched" and taken["tradeIDs"], taken
        trade = taken["tradeIDs"][0]
        wait(user, lambda event: event["event_type"] == "trade" and event["id"] == trade)
        rows = client.get_trades(TradeParams(id=trade))
        assert [row["id"] for row in rows] == [trade], rows
        print(f"took {taken['takingAmount']} shares for {taken['makingAmount']} pUSD")
    print("foreign client: ok")


main()
