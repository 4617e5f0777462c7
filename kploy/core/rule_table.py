"""The table of rules: a row for everything that kploy can find. Nothing but rows; see core.rules.

To add a rule, add a row to the section of its subject. ``_fixed`` makes one that no
Kployfile can switch, because kploy could not go on, or not safely. A test holds the rows to
what the code reports, another the schema of the Kployfile to the rows.
"""

from __future__ import annotations

from kploy.model.findings import Severity
from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: ``title`` says what is found, ``why`` why it matters and how to mend it.

    ``severity`` is what it has unless it is switched; ``is_fixed`` says that it cannot be.
    """

    id: str
    severity: Severity
    title: str
    why: str
    is_fixed: bool = False


def _error(rule_id: str, title: str, why: str) -> Rule:
    return Rule(rule_id, Severity.ERROR, title, why)


def _warning(rule_id: str, title: str, why: str) -> Rule:
    return Rule(rule_id, Severity.WARNING, title, why)


def _fixed(rule_id: str, title: str, why: str) -> Rule:
    return Rule(rule_id, Severity.ERROR, title, why, is_fixed=True)


# Two lines a row, to be read as a table.
# fmt: off

_KPLOYFILE = (
    _fixed("no-kployfile", "the directory has no Kployfile",
           "It makes a directory an app. `kploy init` writes one."),
    _fixed("empty-kployfile", "the Kployfile is empty",
           "At least `name` is needed: it stands for the app in the cluster."),
    _fixed("several-documents", "the Kployfile has more than one document",
           "One app has one Kployfile. Remove the others."),
    _fixed("missing-key", "the Kployfile lacks a key",
           "`name` is needed: it stands for the app in the cluster."),
    _fixed("unknown-key", "the Kployfile has a key that kploy does not know",
           "A misspelt key would be a setting that does nothing. `kploy schema` has all keys."),
    _fixed("invalid-namespace", "not a valid namespace",
           "Kubernetes takes at most 63 small letters, digits and `-`."),
    _fixed("invalid-apiserver", "not a valid address of an API server",
           "It is a safety pin, so it must be exact. Write `https://HOST:PORT`."),
    _fixed("invalid-context", "not a valid name of a context",
           "It is a safety pin, so it must be exact. Name a context of the kubeconfig."),
    _fixed("unknown-rule", "a switch for a rule that there is not",
           "It would switch nothing. `kploy explain rules` lists all rules."),
    _fixed("fixed-rule", "a switch for a rule that cannot be switched",
           "Without this rule kploy could not go on, or not safely. Mend what it finds."),
    _fixed("invalid-switch", "a switch that is not ignore, warning or error",
           "These three words say what becomes of a finding. YAML reads a bare `off` or `no` as false."),
    _fixed("invalid-readiness", "a rule of readiness that kploy cannot read",
           "An object would be waited for in vain, or not at all. Write `ready: '{.status.phase}=Running'`, as "
           "for `kubectl wait --for=jsonpath=…`."),
    _warning("unused-readiness", "a rule of readiness for a kind that the app does not have",
             "It says nothing of any object. Take it out, or write the kind as KIND.GROUP, as `Deployment.apps`."),
)

_FILES = (
    _fixed("empty-app", "there is nothing to deploy",
           "An app has at least one manifest in rcs/, services/ or resources/, or a file in env/."),
    _fixed("not-utf8", "a file is not UTF-8",
           "Kubernetes takes UTF-8 only. Save the file as UTF-8."),
    _fixed("too-large", "a file or object is too large",
           "The API server takes 1 MiB of data an object. Split it."),
    _fixed("too-deep", "lists, mappings or directories within too many others",
           "No manifest needs that depth, and readers of it fail. Make it flatter."),
    _fixed("too-many-values", "a file holds too many values",
           "It would take more memory than it is worth. Split it."),
    _fixed("too-many-problems", "the reading of a file ends after many problems",
           "Mend those that are shown; the rest is then shown."),
    _fixed("not-a-directory", "rcs, services, resources or env is no directory",
           "Manifests lie in these directories. Put the file into it."),
    _fixed("not-a-file", "something that is no regular file",
           "kploy reads files only. Put a file there."),
    _fixed("unreadable-file", "a file cannot be read",
           "What it says cannot be deployed. Mend its permissions."),
    _fixed("outside-link", "a link that leads out of the app",
           "An app is complete in its directory, wherever it is copied. Copy the file."),
    _fixed("file-name", "a file name is not UTF-8",
           "It could not be told or logged. Rename it."),
    _warning("ignored-file", "a file is not read",
             "It lies where kploy reads manifests, but its name says that it is none. Rename or move it."),
    _warning("unknown-runbook", "a runbook is named after no trouble that kploy knows",
             "A runbook is shown with the failure that it is named after: OOMKilled.md. Correct the name."),
    _warning("empty-file", "a file has no manifest in it",
             "Whoever made it meant something. Fill it, or remove it."),
    _fixed("invalid-key", "a file in env/ has a name that cannot be a key",
           "The name of the file becomes a key. Use letters, digits, `-`, `_` and `.`."),
    _warning("empty-value", "a file in env/ is empty",
             "The pods get an empty value. Write it into the file."),
    _warning("readable-secret", "everybody on this machine can read a secret",
             "Take the right from others: chmod o-rwx FILE."),
)

_TEXT = (
    _fixed("yaml-syntax", "not valid YAML",
           "The file cannot be read any further. Correct it where it is shown."),
    _fixed("json-syntax", "not valid JSON",
           "The file cannot be read any further. Correct it where it is shown."),
    _fixed("yaml-tag", "a YAML tag that does not fit or is not known",
           "Kubernetes reads JSON, which has no tags. Remove it."),
    _fixed("yaml-key", "a key that is no text",
           "Keys are text in JSON. Quote it."),
    _fixed("duplicate-key", "a key stands twice in one mapping",
           "Only one of them would count, and which differs from tool to tool. Keep one."),
    _fixed("late-merge", "`<<` stands after a key that it has too",
           "kubectl and YAML disagree on which counts. Put `<<` first."),
    _fixed("merge-key", "`<<` takes something that is no mapping",
           "It takes over the keys of mappings. Name an anchored one."),
    _fixed("unknown-anchor", "an alias of something that is not anchored",
           "Add the anchor, or quote the value."),
    _fixed("recursive-alias", "an alias within what it repeats",
           "It would never end. Write the value out."),
    _fixed("alias-bomb", "aliases that make a file too large",
           "A small file must not fill the memory. Write fewer aliases of aliases."),
    _fixed("control-character", "a character that YAML does not allow",
           "The file cannot be read any further. Remove it."),
    _fixed("lone-surrogate", "half of a surrogate pair",
           "It is no character, and cannot be sent. Write the character itself."),
    _fixed("not-finite", "infinity or not-a-number",
           "JSON has no such number. Quote it, or write a number."),
    _fixed("number-too-large", "a number of more than 64 bits",
           "Kubernetes would lose digits. Quote it to keep it as text."),
    _warning("key-not-text", "a key that is not read as it is written",
             "YAML reads a bare yes, 1.0 or null as a value, which becomes another text. Quote it."),
    _warning("yaml-boolean", "a word that Kubernetes reads as a boolean",
             "yes, no, on and off are booleans to kubectl, not to every reader. Quote it, or write true or "
             "false."),
)

_OBJECTS = (
    _fixed("not-a-mapping", "a manifest that is no mapping",
           "A manifest says what it is by its keys. Begin with `apiVersion:` and `kind:`."),
    _fixed("not-a-list", "`items` is no list",
           "A List holds its objects in a list. Write `- ` before each."),
    _fixed("missing-api-version", "a manifest without apiVersion",
           "It says which API serves the kind. Add it."),
    _fixed("missing-kind", "a manifest without kind",
           "It says what the object is. Add it."),
    _fixed("missing-name", "a manifest without a name",
           "The name is how the object is found again. Add `metadata.name`."),
    _fixed("generate-name", "a manifest with generateName",
           "It would be another object at every run, and a deploy must be repeatable. Write `name`."),
    _fixed("invalid-api-version", "not an API version",
           "Write `GROUP/VERSION`, or `v1`."),
    _fixed("invalid-kind", "not a kind",
           "Write a word such as `Deployment`."),
    _fixed("invalid-name", "a name that Kubernetes does not take",
           "Names become parts of addresses, host names and labels, which have rules. Use small letters, "
           "digits and `-`."),
    _fixed("duplicate-object", "two manifests of one object",
           "One would overwrite the other at every run. Take one out, or rename it."),
    _fixed("cluster-wide-kind", "a namespace on an object that can have none",
           "The object belongs to the whole cluster. Take `namespace` out."),
    _fixed("foreign-namespace", "an object for another namespace than the app's",
           "An app has one namespace, and is found by it. Take it out, or change the Kployfile."),
    _fixed("foreign-label", "an object with the label of another app",
           "It would look as if the other app owned it. Take the label out."),
    _warning("wrong-directory", "a kind in the wrong directory",
             "What a file is follows from where it lies. Move it."),
    _warning("unknown-annotation", "an annotation kploy.dev/… that kploy does not know",
             "A misspelt one does nothing: an order that is not kept, an object that is not kept. Correct it."),
    _warning("unclear-annotation", "an annotation or label kploy.dev/… that means nothing as it stands",
             "What should be kept goes, pods restart that should not, or too few at a time. Correct it."),
    _fixed("unknown-dependency", "depends-on names what the app does not have",
           "There is nothing to wait for. Name kind/name or a file of the app."),
    _fixed("dependency-cycle", "objects that wait for each other",
           "None of them could start. Take one of the dependencies out."),
)

_SCHEMAS = (
    _fixed("unknown-kind", "a kind that is not served",
           "The API server would refuse it. Correct it, or bring its CustomResourceDefinition."),
    _warning("deprecated-api", "an API version that will go",
             "It still works, and stops with the version that is named. Move to its successor before."),
    _fixed("removed-api", "an API version that is no longer served",
           "The API server would refuse it. Move to the version that took its place."),
    _fixed("unknown-field", "a field that the kind does not have",
           "It would do nothing, and strict validation refuses it. Correct the name, or take it out."),
    _fixed("missing-field", "a field that is needed and not there",
           "The API server would refuse the object. Add it."),
    _fixed("wrong-type", "a value of the wrong type",
           "The API server would refuse it. YAML makes numbers and booleans of bare words: quote text."),
    _fixed("invalid-value", "a value that its field does not take",
           "The API server would refuse it. The hint names what it takes."),
    _warning("server-field", "a field that the server writes",
             "It was copied from a live object, and is overwritten or refused. Take it out."),
)

_REMOTES = (
    _fixed("invalid-url", "not an address that kploy fetches",
           "Manifests come by https only, without a password in the address. Correct it."),
    _fixed("remote-unreachable", "a remote manifest cannot be fetched",
           "Without it the app is not complete. Try again, or correct the address."),
    _fixed("remote-refused", "a remote manifest that kploy does not take",
           "It comes from an address, or is of a size, that is not safe to fetch. Copy it into the app."),
    _fixed("remote-not-a-manifest", "what was fetched is no manifest",
           "The address probably leads to a web page. Correct it."),
    _fixed("remote-changed", "a remote manifest is not what it was",
           "It differs from its pin in Kployfile.lock. Look at it, then run `kploy lock --update`."),
    _fixed("invalid-lock", "Kployfile.lock cannot be used",
           "The pins in it keep remote manifests what they were. Take it from version control."),
    _warning("remote-not-checked", "a remote manifest was not looked at",
             "Offline only copies of pinned manifests are used. Run `kploy dryrun` once without --offline."),
    _warning("lock-not-written", "Kployfile.lock could not be written",
             "Without a pin nobody notices when a remote manifest changes. Make the directory writable."),
)

_CLUSTER = (
    _fixed("refused-by-server", "the API server does not accept an object",
           "It said so in a dry run; a run would fail there. Correct what it names."),
    _fixed("forbidden", "the API server does not allow an object",
           "The user has no right to it, or a policy refuses it. Ask for the right, or change the object."),
    _fixed("field-conflict", "somebody else owns a field",
           "Two who write one field undo each other's work. Take it out here, or there."),
    _fixed("foreign-object", "an object that is live and not the app's",
           "kploy overwrites nothing of others. Rename yours, or hand over the other."),
)

_SELECTORS = (
    _error("selector-mismatch", "a workload whose selector does not match its own pods",
           "The API server refuses it. Give the selector the labels of the pod template."),
    _error("selector-overlap", "a workload whose selector matches the pods of another",
           "Controllers, budgets and autoscalers would count each other's pods. Add a label that tells the "
           "two apart, to selector and template."),
    _error("service-without-pods", "a Service whose selector matches no pods",
           "It never gets an endpoint, and a run waits for one until its deadline. Give it the labels of a "
           "pod template."),
    _warning("budget-without-pods", "a PodDisruptionBudget that selects no pods of the app",
             "It protects nothing. Give it the labels of a pod template."),
    _warning("unsatisfiable-budget", "a PodDisruptionBudget that never lets a pod go",
             "No node that such a pod runs on can be drained. Let at least one pod be away, or run more "
             "replicas."),
)

_REFERENCES = (
    _error("missing-config-map", "a ConfigMap that pods need and is nowhere",
           "The pods cannot start. Add it, name an existing one, or mark the reference `optional: true`."),
    _error("missing-secret", "a Secret that pods need and is nowhere",
           "The pods cannot start. Add env/KEY.secret, name an existing one, or mark the reference "
           "`optional: true`. If something makes it during the run, switch this rule."),
    _error("missing-data-key", "a key that pods need and the ConfigMap or Secret does not have",
           "The pods cannot start. Add the key, name an existing one, or mark the reference `optional: true`."),
    _warning("missing-sub-path", "a subPath that the ConfigMap or Secret does not have",
             "The pods get an empty directory instead of a file. Name a key, or a path of `items`."),
    _error("missing-service-account", "a ServiceAccount that is nowhere",
           "No pod of the workload can be made. Add it, or take `serviceAccountName` out."),
    _error("missing-claim", "a PersistentVolumeClaim that is nowhere",
           "The pods stay pending until it is there. Add it to resources/, or name an existing one."),
    _warning("missing-pull-secret", "an image pull secret that is nowhere",
             "Nodes pass over it; private images cannot be pulled. Add the Secret, or take it out."),
    _warning("missing-governing-service", "a StatefulSet's Service that is nowhere",
             "The pods start, but have no host names of their own. Add a headless Service of that name."),
    _error("missing-backend", "a Service that a route leads to and is nowhere",
           "Requests by this route fail. Add the Service, or name an existing one."),
    _error("missing-scale-target", "an autoscaler's target that is nowhere",
           "Nothing would be scaled. Name a workload of the app."),
    _warning("not-in-app", "something that is named and not in the app",
             "Offline nobody can tell whether the cluster has it. `kploy dryrun` without --offline looks."),
)

_PORTS = (
    _error("missing-target-port", "a Service's targetPort that no container has",
           "It never gets an endpoint by a name that nobody declares. Name a port of the containers."),
    _warning("undeclared-target-port", "a Service's targetPort that no container declares",
             "Nothing may listen there: the containers declare other ports. Correct it, or declare the port."),
    _error("missing-probe-port", "a probe on a named port that its container does not have",
           "The probe fails for ever. Name a port of the same container, or write its number."),
    _warning("undeclared-probe-port", "a probe on a port that no container declares",
             "Nothing may listen there: the container declares other ports. Correct it, or declare the port."),
    _error("missing-service-port", "a route to a port that its Service does not have",
           "Requests by this route fail. Name a port of the Service."),
)

_HABITS = (
    _warning("image-tag", "an image without a tag, or with `latest`",
             "Which program runs depends on the day a node pulls it, and there is no way back. Write a "
             "version or a digest."),
    _warning("no-readiness-probe", "pods behind a Service without a readiness probe",
             "They get requests before they can answer, at every deploy. Add a readinessProbe."),
    _warning("secret-in-clear", "a Secret with its values in rcs/ or services/",
             "base64 hides nothing, and these files are committed. Put each value into env/KEY.secret."),
)

_RIGHTS = (
    _fixed("missing-permission", "a right that a run needs and you do not have",
           "The run would stop half-way, at the first refusal. Have the Role applied that is shown."),
)

_ADMISSION = (
    _error("over-quota", "pods that do not fit the quota of the namespace",
           "An error if not even one fits, a warning if not all do. Ask for less, or have it raised."),
    _error("undeclared-resources", "pods that do not say what the quota wants to know",
           "The quota counts requests or limits, so every pod without them is refused. Declare them."),
    _error("pod-security", "pods that violate the namespace's Pod Security level",
           "The workload is accepted, and its pods never start. Change their securityContext."),
    _error("limit-range", "pods outside the LimitRange of the namespace",
           "The workload is accepted, and its pods never start. Ask for what the range allows."),
    _error("pod-refused", "pods that the API server would refuse",
           "The workload is accepted, and its pods never start. The server's words say why."),
)

# fmt: on

ROWS = (
    *_KPLOYFILE,
    *_FILES,
    *_TEXT,
    *_OBJECTS,
    *_SCHEMAS,
    *_REMOTES,
    *_CLUSTER,
    *_SELECTORS,
    *_REFERENCES,
    *_PORTS,
    *_HABITS,
    *_RIGHTS,
    *_ADMISSION,
)

OF_OBJECTS = frozenset({"wrong-directory", "unclear-annotation", "unknown-annotation"}).union(
    rule.id for section in (_SELECTORS, _REFERENCES, _PORTS, _HABITS) for rule in section
)
"""The rules that a single object may ignore by annotation; the others are about files."""
