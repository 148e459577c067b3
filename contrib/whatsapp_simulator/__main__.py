"""`python -m contrib.whatsapp_simulator`: try everything by hand."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from contrib.whatsapp_simulator.clock import RunningClock
from contrib.whatsapp_simulator.serving import simulated, verified_some_day
from contrib.whatsapp_simulator.settings import Account, BusinessNumber, Pace
from contrib.whatsapp_simulator.simulator import Simulator

EXPLANATION = """\
what you need on the business's side:
  Graph's address     http://127.0.0.1:8600          instead of https://graph.facebook.com
  phone number id     1122334455667                  --number-id
  account (WABA) id   1234567890987654321
  access token        access-token                   --token
  app secret          app-secret                     --app-secret    signs what the webhook gets
  verify token        verify-token                   --verify-token  what the webhook is asked with

try it without any business:
  python -m contrib.whatsapp_simulator
  open http://127.0.0.1:8600, write something as Ana (that opens the 24 hours), then answer:

  curl http://127.0.0.1:8600/v26.0/1122334455667/messages -H 'Authorization: Bearer access-token' \\
    -H 'Content-Type: application/json' -d '{"messaging_product": "whatsapp",
    "to": "+351910000001", "type": "text", "text": {"body": "Bom dia!"}}'

what can go wrong with the real WhatsApp goes wrong in the page's "Mischief" when you want it to.
"""


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    account, number = Account(), BusinessNumber()
    parser = argparse.ArgumentParser(
        prog="python -m contrib.whatsapp_simulator",
        description="WhatsApp on this machine: the Cloud API, its webhooks, and a page like a phone.",
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8600, help="where to listen on 127.0.0.1 (8600; 0: any)")
    parser.add_argument(
        "--webhook",
        default="",
        metavar="URL",
        help="who is told what customers write; tried until it is there",
    )
    parser.add_argument("--app-secret", default=account.app_secret, help="signs each webhook (%(default)s)")
    parser.add_argument(
        "--verify-token", default=account.verify_token, help="verifies the webhook (%(default)s)"
    )
    parser.add_argument("--token", default=account.token, help="what Graph asks for (%(default)s)")
    parser.add_argument("--number-id", default=number.id, help="the business's phone number id (%(default)s)")
    parser.add_argument("--empty", action="store_true", help="begin without customers and templates")
    return parser.parse_args(arguments)


def fill(simulator: Simulator) -> None:
    """Let there be somebody to begin with."""
    simulator.customer("+351 910 000 001", name="Ana Martins")
    simulator.customer("+55 31 99999-0002", name="Bruno Alves")
    simulator.customer("+34 610 000 003", name="Carmen Ruiz", username="carmen.ruiz")
    simulator.add_template(
        "hello", "Olá {{1}}, ainda podemos ajudar?", footer="Casa do Chá", buttons=["Sim", "Não"]
    )
    simulator.add_template("hello", "Hello {{1}}, can we still help?", language="en", footer="Casa do Chá")
    simulator.add_template("order_sent", "A encomenda {{1}} segue hoje por {{2}}.", header="A caminho")
    simulator.add_template("sale", "Chá com {{1}} de desconto.", category="MARKETING", header="IMAGE")


async def run(options: argparse.Namespace) -> None:
    """Run until Ctrl-C."""
    account = Account(
        app_secret=options.app_secret,
        verify_token=options.verify_token,
        token=options.token,
        numbers=(BusinessNumber(id=options.number_id),),
    )
    pace = Pace(sent=0.3, delivered=0.5, read=None)
    async with simulated(port=options.port, account=account, pace=pace, clock=RunningClock()) as simulator:
        if not options.empty:
            fill(simulator)
        print(f"The phone:      {simulator.url}/")
        print(f"Graph:          {simulator.url}   number {options.number_id}, token {options.token}")
        print(f"The webhook:    {options.webhook or 'none (--webhook URL)'}", flush=True)
        verifying = asyncio.create_task(_verify(simulator, options.webhook)) if options.webhook else None
        await _told_to_stop()
        if verifying is not None:
            verifying.cancel()


async def _verify(simulator: Simulator, webhook: str) -> None:
    await verified_some_day(simulator, webhook)
    print("The webhook is verified.", flush=True)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()


if __name__ == "__main__":
    try:
        asyncio.run(run(read_options()))
    except OSError as error:
        sys.exit(f"The simulator cannot start: {error}")
