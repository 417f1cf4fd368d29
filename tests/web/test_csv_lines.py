"""Cells of CSV files are read back exactly, and no spreadsheet runs them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimsvc.web.csv_lines import read_cell, write_line

CELLS = st.text(st.sampled_from("=+-@\t\r\n;,'\" xé\uff1d"), max_size=8)


@given(CELLS)
def test_a_cell_is_read_back_exactly(value: str) -> None:
    (row,) = csv.reader(io.StringIO(write_line([value, "end"]), newline=""))

    assert list(map(read_cell, row)) == [value, "end"]


@given(st.lists(CELLS, min_size=1, max_size=3), st.sampled_from(";\t"))
def test_no_cell_is_a_formula_for_another_separator(values: list[str], separator: str) -> None:
    lines = write_line(["x", *values]).splitlines()

    for line in lines:
        for cell in line.split(separator):
            assert not cell.lstrip(' "').startswith(tuple("=+-@\uff1d")), lines


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1", "'=1"),
        ("'=1", "''=1"),
        ("'t Hooft", "'t Hooft"),
        ("Eve;=1+cmd", "Eve;'=1+cmd"),
        ("a; b; -1", "a; b; '-1"),
        ("1-2; 3+4", "1-2; 3+4"),
        ("a\t@b", "a\t'@b"),
        ("a\n=b", "a\n'=b"),
        ("a,=b", "a,=b"),
        ('a;"=b', "a;\"'=b"),
    ],
)
def test_an_apostrophe_is_written_before_each_formula(value: str, cell: str) -> None:
    assert next(csv.reader(io.StringIO(write_line([value]), newline=""))) == [cell]
