"""The hosted payment page of the simulated provider: plain HTML that works on a telephone."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--bg:#f4f5f8;--card:#fff;--ink:#16181d;--soft:#5d6470;--line:#dfe2e8;
--go:#1f6f54;--no:#8c2f39}
@media(prefers-color-scheme:dark){:root{--bg:#121418;--card:#1b1e24;--ink:#eceef2;--soft:#9aa1ad;
--line:#2e323b;
--go:#3aa981;--no:#d4727d}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:0 auto;padding:1.5rem 1rem 3rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.25rem}
h1{font-size:1.05rem;margin:0 0 1rem;color:var(--soft);font-weight:600}
.sum{font-size:2rem;font-weight:700;letter-spacing:-.02em;margin:0 0 .25rem;font-variant-numeric:tabular-nums}
p{margin:.25rem 0 1rem;color:var(--soft)}
p.sum{color:var(--ink)}
label{display:block;font-size:.85rem;font-weight:600;margin:.9rem 0 .3rem}
input{width:100%;padding:.7rem .8rem;font:inherit;color:inherit;background:transparent;
border:1px solid var(--line);border-radius:9px}
button{width:100%;min-height:2.9rem;margin-top:.75rem;border-radius:9px;border:1px solid var(--line);
background:transparent;color:inherit;font:inherit;font-weight:600;cursor:pointer}
button.go{background:var(--go);border-color:var(--go);color:#fff}
button.no{color:var(--no)}
button:focus-visible,input:focus-visible{outline:3px solid color-mix(in srgb,var(--go) 45%,transparent);
outline-offset:1px}
.row{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}
.test{margin-top:1.25rem;font-size:.85rem}
a{color:inherit}
table{width:100%;border-collapse:collapse;font-size:.85rem}
td,th{padding:.45rem .5rem;border-bottom:1px solid var(--line);text-align:left}
"""


def _page(title: str, body: str, *, refresh: str = "", wide: bool = False) -> str:
    style = _STYLE + ("main{max-width:60rem}" if wide else "")
    head = (
        f'<meta http-equiv="refresh" content="2;url={escape(refresh, quote=True)}">'
        if refresh
        else ""
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width,initial-scale=1">{head}'
        f"<style>{style}</style></head><body><main>{body}</main></body></html>"
    )


_FIELDS = {
    "CARD": (
        '<label for="card">Card number</label><input id="card" name="card" inputmode="numeric"'
        ' autocomplete="off" value="4242 4242 4242 4242">'
        '<div class="row"><div><label for="expiry">Expires</label><input id="expiry" value="12 / 29"></div>'
        '<div><label for="cvc">Security code</label><input id="cvc" value="123"></div></div>'
    ),
    "BANK_TRANSFER": (
        '<label for="card">Your IBAN</label><input id="card" name="card" autocomplete="off"'
        ' value="DE89 3704 0044 0532 0130 00">'
    ),
    "EWALLET": (
        '<label for="card">E-wallet account</label><input id="card" name="card" autocomplete="off"'
        ' value="ana@wallet.example">'
    ),
}


def payment_page(payment: dict[str, Any]) -> str:
    """Where the payer pays, declines or gives up."""
    fields = _FIELDS.get(payment["method"], "")
    body = (
        '<div class="card"><h1>Northgate Pay</h1>'
        f'<p class="sum">{escape(payment["amount"])} {escape(payment["currency"])}</p>'
        f"<p>to your broker, reference {escape(payment['reference'][-8:])}</p>"
        f'<form method="post"><label for="holder">Name of the payer</label>'
        f'<input id="holder" name="holder" required value="{escape(payment["payer"], quote=True)}">{fields}'
        '<button class="go" name="action" value="pay">Pay</button>'
        '<button class="no" name="action" value="decline" formnovalidate>Let the bank decline it</button>'
        '<button name="action" value="cancel" formnovalidate>Cancel and go back</button></form>'
        '<p class="test">A simulated provider. No real card or account is charged.</p></div>'
    )
    return _page("Pay", body)


def result_page(payment: dict[str, Any]) -> str:
    """What happened, and the way back to the broker."""
    words = {
        "succeeded": "Payment received",
        "processing": "Payment is being processed",
        "failed": "The bank declined the payment",
        "canceled": "Payment canceled",
        "expired": "This payment page has expired",
    }
    back = payment["return_url"]
    title = words.get(payment["status"], "Thank you")
    link = f'<p><a href="{escape(back, quote=True)}">Back to your broker</a></p>' if back else ""
    return _page(
        title,
        f'<div class="card"><h1>Northgate Pay</h1><p class="sum">{title}</p>{link}</div>',
        refresh=back,
    )


def not_found_page() -> str:
    return _page(
        "Not found",
        '<div class="card"><h1>Northgate Pay</h1><p>There is no such payment.</p></div>',
    )


def control_page(rows: list[dict[str, Any]], faults: list[dict[str, Any]], waiting: int) -> str:
    """The provider's own back office: what it knows, and faults that wait to happen."""
    lines = "".join(
        f"<tr><td>{escape(r['kind'])}</td><td>{escape(r['id'])}</td><td>{escape(r['reference'])}</td>"
        f"<td>{escape(r['amount'])} {escape(r['currency'])}</td><td>{escape(r.get('status', ''))}</td></tr>"
        for r in rows
    )
    waits = "".join(f"<li>{escape(str(fault))}</li>" for fault in faults) or "<li>none</li>"
    body = (
        f'<div class="card"><h1>Northgate Pay, simulated</h1><p>{waiting} messages wait to be delivered.</p>'
        f"<table><tr><th>Kind</th><th>Id</th><th>Reference</th><th>Amount</th><th>Status</th></tr>{lines}</table>"
        f"<p>Faults waiting:</p><ul>{waits}</ul></div>"
    )
    return _page("Northgate Pay", body, wide=True)
