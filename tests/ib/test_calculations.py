"""Worked examples of the commission model, to the cent, and the properties that hold for any deal."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ib.calculations import (
    DealFacts,
    Edge,
    Term,
    TermKind,
    Tier,
    TierMode,
    accrual_lines,
    ancestors_at,
    base_of,
    closes_a_cycle,
    largest_remainder,
    standard_lots,
)

D = Decimal
DAY0 = datetime(2026, 1, 1, tzinfo=UTC)


def deal(lots="1", spread="0", commission="0", contract="100000"):
    return DealFacts(
        lots=D(lots), contract_size=D(contract), spread_cost=D(spread), commission=D(commission)
    )


def tier(who, depth, *rates, kind=TermKind.PER_LOT, mode=TierMode.DIFFERENTIAL, places=2, **more):
    return Tier(
        beneficiary=who,
        depth=depth,
        mode=mode,
        term=Term(kind=kind, rates=tuple(D(r) for r in rates)),
        payout_currency=more.pop("currency", "USD"),
        payout_exponent=places,
        **more,
    )


def amounts(lines):
    return {line.beneficiary: line.amount_minor for line in lines}


def test_two_lots_at_one_dollar_twenty_are_two_forty():
    assert amounts(accrual_lines(deal=deal("2.00"), chain=[tier("ivy", 0, "1.2")])) == {"ivy": 240}


def test_a_cent_account_earns_a_hundredth_of_a_lot():
    lots = standard_lots(
        lots=D("5"), contract_size=D("100000"), reference_contract=D("100000"), multiplier=D("0.01")
    )
    assert lots == D("0.05")


def test_a_micro_contract_is_measured_in_standard_lots():
    assert standard_lots(
        lots=D("3"), contract_size=D("1000"), reference_contract=D("100000"), multiplier=D(1)
    ) == D("0.03")


def test_forty_percent_of_a_twelve_dollar_spread_is_four_eighty():
    chain = [tier("ivy", 0, "0.40", kind=TermKind.SPREAD_SHARE)]
    assert amounts(accrual_lines(deal=deal(spread="12.00"), chain=chain)) == {"ivy": 480}


def test_revenue_share_counts_spread_and_commission():
    chain = [tier("ivy", 0, "0.25", kind=TermKind.REVENUE_SHARE)]
    lines = accrual_lines(deal=deal(spread="12.00", commission="7.00"), chain=chain)
    assert amounts(lines) == {"ivy": 475}


def test_differential_chain_of_ten_seven_four_shares_thirty_dollars():
    chain = [tier("subsub", 0, "4"), tier("sub", 1, "7"), tier("master", 2, "10")]
    lines = accrual_lines(deal=deal("3"), chain=chain)
    assert amounts(lines) == {"master": 900, "sub": 900, "subsub": 1200}
    assert sum(line.amount_minor for line in lines) == 3000
    assert [line.paid_below for line in lines] == [D(0), D(12), D(21)]


def test_a_child_with_a_higher_rate_leaves_its_parent_nothing_and_the_grandparent_the_rest():
    chain = [tier("child", 0, "8"), tier("parent", 1, "5"), tier("master", 2, "10")]
    assert amounts(accrual_lines(deal=deal("1"), chain=chain)) == {
        "child": 800,
        "parent": 0,
        "master": 200,
    }


def test_override_pays_each_ancestor_the_rate_for_its_distance():
    over = TierMode.OVERRIDE
    chain = [
        tier("child", 0, "6", mode=over),
        tier("parent", 1, "6", "1.50", mode=over),
        tier("master", 2, "6", "1.50", "0.50", mode=over),
        tier("founder", 3, "6", mode=over),
    ]
    assert amounts(accrual_lines(deal=deal("2"), chain=chain)) == {
        "child": 1200,
        "parent": 300,
        "master": 100,
        "founder": 0,
    }


def test_a_partner_paid_in_another_currency_gets_the_converted_amount():
    chain = [tier("ivy", 0, "10", currency="EUR", rate_to_payout=D("0.9"))]
    assert amounts(accrual_lines(deal=deal("1"), chain=chain)) == {"ivy": 900}


def test_yen_have_no_cents():
    chain = [tier("ivy", 0, "10", currency="JPY", places=0, rate_to_payout=D("149.27"))]
    assert amounts(accrual_lines(deal=deal("1"), chain=chain)) == {"ivy": 1493}


def test_base_is_the_traded_lots_when_the_plan_names_no_reference_contract():
    term = Term(kind=TermKind.PER_LOT, rates=(D(1),))
    assert base_of(term, deal("0.30", contract="100")) == D("0.30")


def test_odd_cent_goes_to_the_largest_fraction_and_ties_to_the_lowest_id():
    third = D(100) / 3
    assert largest_remainder([("c", third), ("a", third), ("b", third)]) == [33, 34, 33]


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=4), min_size=1, max_size=12))
def test_rounded_parts_sum_to_the_rounded_whole_and_move_less_than_a_unit(exact):
    shares = [(f"{i:02}", value) for i, value in enumerate(exact)]
    parts = largest_remainder(shares)
    assert sum(parts) == int(sum(exact, D(0)).to_integral_value())
    assert all(abs(part - value) < 1 for part, value in zip(parts, exact, strict=True))


@given(
    rates=st.lists(st.decimals(min_value=0, max_value=50, places=2), min_size=1, max_size=9),
    lots=st.decimals(min_value="0.01", max_value=500, places=2),
)
def test_a_differential_chain_costs_its_highest_rate_and_no_more(rates, lots):
    chain = [tier(f"{i:02}", i, str(rate)) for i, rate in enumerate(rates)]
    lines = accrual_lines(deal=deal(str(lots)), chain=chain)
    whole = (max(rates) * lots * 100).to_integral_value()
    assert sum(line.amount_minor for line in lines) == int(whole)
    assert all(line.amount_minor >= 0 for line in lines)


def edge(child, parent, start=0, end=None):
    return Edge(
        parent=parent,
        child=child,
        valid_from=DAY0 + timedelta(days=start),
        valid_to=None if end is None else DAY0 + timedelta(days=end),
    )


def test_the_chain_is_the_one_of_the_day():
    edges = [edge("sub", "old", 0, 10), edge("sub", "new", 10), edge("new", "master", 0)]
    at = [DAY0 + timedelta(days=9), DAY0 + timedelta(days=10)]
    assert ancestors_at(start="sub", edges=edges, at=at[0]) == ["sub", "old"]
    assert ancestors_at(start="sub", edges=edges, at=at[1]) == ["sub", "new", "master"]


def test_a_cycle_counts_only_while_both_edges_are_in_force():
    held = [edge("b", "a", 0, 10)]
    assert closes_a_cycle(new=edge("a", "b", 9), edges=held)
    assert not closes_a_cycle(new=edge("a", "b", 10), edges=held)
    assert closes_a_cycle(new=edge("a", "a"), edges=[])


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 20), st.integers(1, 12)),
        max_size=25,
    ),
)
def test_accepting_only_edges_that_close_no_cycle_leaves_a_forest_on_every_day(proposals):
    held = []
    for child, parent, start, length in proposals:
        new = edge(str(child), str(parent), start, start + length)
        taken = any(
            other.child == new.child
            and other.valid_from < new.valid_to
            and new.valid_from < other.valid_to
            for other in held
        )
        if not taken and not closes_a_cycle(new=new, edges=held):
            held.append(new)
    for day in range(33):
        at = DAY0 + timedelta(days=day)
        parent_of = {e.child: e.parent for e in held if e.covers(at)}
        for start in parent_of:
            seen, node = set(), start
            while node in parent_of:
                assert node not in seen
                seen.add(node)
                node = parent_of[node]


@pytest.mark.parametrize("places", [0, 2, 8])
def test_one_beneficiary_is_rounded_half_even(places):
    unit = D(1).scaleb(-places)
    chain = [tier("ivy", 0, str(unit * D("2.5")), places=places)]
    assert amounts(accrual_lines(deal=deal("1"), chain=chain)) == {"ivy": 2}
