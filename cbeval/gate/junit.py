"""A verdict as a JUnit XML file, which every CI system shows: one test case a finding."""

import xml.etree.ElementTree as ET

from cbeval.compare.text import plain
from cbeval.gate.verdict import Verdict


def as_junit(verdict: Verdict) -> str:
    """JUnit XML with as many failures as the verdict has failed findings; warnings are in `system-out`.

    Names come from files and folders of others: characters that XML cannot hold are replaced, the rest is escaped.
    """
    failures = sum(not finding.passed for finding in verdict.findings)
    totals = {"tests": str(len(verdict.findings)), "failures": str(failures), "errors": "0", "skipped": "0"}
    root = ET.Element("testsuites", {"name": plain(f"cbeval gate: {verdict.policy}"), **totals})
    suite = ET.SubElement(root, "testsuite", {"name": plain(f"{verdict.policy}: {verdict.run}"), **totals})
    properties = ET.SubElement(suite, "properties")
    described = ("run", "baseline", "judge", "model", "model_digest", "adapter_digest", "policy_digest")
    for name in described:
        value = getattr(verdict, name)
        if value:
            ET.SubElement(properties, "property", {"name": name, "value": plain(value)})
    for finding in verdict.findings:
        case = ET.SubElement(
            suite, "testcase", {"classname": f"cbeval.gate.{finding.kind}", "name": plain(finding.name), "time": "0"}
        )
        sentence = plain(finding.sentence)
        if finding.passed:
            ET.SubElement(case, "system-out").text = sentence
        else:
            ET.SubElement(case, "failure", {"message": sentence, "type": finding.kind}).text = sentence
    if verdict.warnings:
        ET.SubElement(suite, "system-out").text = "\n".join(plain(warning) for warning in verdict.warnings)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
