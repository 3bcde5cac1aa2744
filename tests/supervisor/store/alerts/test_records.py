"""What is known of alerts."""

from supervisor.store.alerts.records import fingerprint_of


def test_a_fingerprint_is_of_the_labels_in_any_order():
    """Two alerts of the same labels are one."""
    labels = {"a": "1", "b": "2"}
    assert fingerprint_of(labels) == fingerprint_of(dict(reversed(labels.items())))
    assert fingerprint_of(labels) != fingerprint_of({"a": "2", "b": "1"})
    assert len(fingerprint_of({})) == 16
