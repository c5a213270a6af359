"""No changed certificate passes, its digests made right again or not."""

import base64
import json
import zlib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from certified_networks import gate_network, scaled_network

from benchmarks.modules._tampered import tampered
from bimt_analyze.certificates import UnprovedError, certify, certify_decisions, check_certificate
from bimt_analyze.certificates.checker._exact_fields import canonical, digest
from bimt_train import InputError


@pytest.fixture(scope="module")
def gate():
    return gate_network()


@pytest.fixture(scope="module")
def scaled():
    return scaled_network()


@pytest.fixture(scope="module")
def data(scaled):
    return certify(scaled, "u**2 - 3*v", output="z").data


def resealed(data, change):
    said = json.loads(data)
    change(said)
    said["network_digest"] = digest(said["network"])
    return canonical(said | {"digest": digest({key: value for key, value in said.items() if key != "digest"})})


def test_of_300_changed_bounds_none_passes(data, scaled):
    passed = []
    for what, changed in tampered(data, 300):
        assert changed != data
        try:
            check_certificate(changed, checkpoint=scaled)
            passed.append(what)
        except InputError as error:
            assert "\n" not in str(error)
    assert not passed


def test_of_150_changed_decisions_only_what_is_true_passes(gate):
    data = certify_decisions(gate, "x1 & (x2 | ~x3)", output="y1").data
    passed = 0
    for what, changed in tampered(data, 150, seed=1):
        try:
            check_certificate(changed, checkpoint=gate)
        except InputError:
            continue
        assert what == "claim.values: a number"  # another domain, of which the same is true
        claim = json.loads(changed)["claim"]
        rows = np.array(list(product(*(map(float.fromhex, text.split()) for text in claim["values"]))))
        x1, x2, x3 = rows.T > 0
        assert ((gate.predict(rows)[:, 0] > 0) == (x1 & (x2 | ~x3))).all()
        passed += 1
    assert passed < 5


def test_a_bound_that_is_not_the_proved_one_is_refused(data):
    def scaled_by(factor):
        return lambda said: said["claim"].update(bound=(float.fromhex(said["claim"]["bound"]) * factor).hex())

    check_certificate(resealed(data, scaled_by(1.0)))
    with pytest.raises(UnprovedError, match="a part of the box where only"):
        check_certificate(resealed(data, scaled_by(1 - 1e-6)))
    with pytest.raises(UnprovedError, match="a bound that is not the proved one"):
        check_certificate(resealed(data, scaled_by(1 + 1e-6)))


@pytest.mark.parametrize("share", [0.9, 1 - 1e-6, 1 + 1e-6])
def test_what_is_reached_is_reached_at_the_point(data, share):
    def moved(said):
        said["claim"]["reached"] = (float.fromhex(said["claim"]["reached"]) * share).hex()

    with pytest.raises(UnprovedError, match=r"at the point .* is reached"):
        check_certificate(resealed(data, moved))


def test_a_tree_covers_its_box(data):
    def tree(change):
        def changed(said):
            codes = zlib.decompress(base64.b64decode(said["proof"]["splits"]))
            said["proof"]["splits"] = base64.b64encode(zlib.compress(change(codes))).decode()

        return resealed(data, changed)

    check_certificate(tree(lambda codes: codes))
    for change, line in (
        (lambda codes: codes[:-1], "does not cover the box"),
        (lambda codes: codes[:1], "does not cover the box"),
        (lambda codes: b"", "cannot be unpacked"),
        (lambda codes: codes + b"\xff", "parts left over"),
        (lambda codes: b"\x02" + codes[1:], "an unknown axis"),
        (lambda codes: b"\xff", "a part of the box where only"),
    ):
        with pytest.raises(UnprovedError, match=line):
            check_certificate(tree(change))


def test_the_formula_that_is_read_is_the_formula_that_is_checked(data):
    with pytest.raises(UnprovedError):
        check_certificate(resealed(data, lambda said: said["claim"].update(formula="u**2 - 3*v + 0.001")))


def test_the_network_of_another_file_is_noticed(data, scaled):
    name = "layers.0.bias"
    network = scaled.network
    other = network.with_tensors({name: np.nextafter(network.tensors[name], np.float32(9))})
    check_certificate(data, checkpoint=scaled)
    with pytest.raises(UnprovedError, match="a certificate on another network: expected the checkpoint's layers"):
        check_certificate(data, checkpoint=replace(scaled, network=other))
    scaling = replace(scaled, task=replace(scaled.task, output_shift=(1.0, -2.5)))
    with pytest.raises(UnprovedError, match="the checkpoint's output_shift"):
        check_certificate(data, checkpoint=scaling)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"null", b"\xff\xfe", b'{"format": "bimt certificate 2"}'])
def test_what_is_no_certificate_is_bad_input(text):
    with pytest.raises(InputError, match="not a certificate") as caught:
        check_certificate(text)
    assert not isinstance(caught.value, UnprovedError)
