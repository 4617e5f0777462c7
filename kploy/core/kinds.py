"""The kinds that Kubernetes itself serves: where they are kept, and whether in a namespace.

Knowing them saves the discovery requests for everything but custom resources.
The table follows the discovery documents in Kubernetes 1.37's own repository
(api/discovery). An API version is not part of it: that is the manifest's choice.
"""

from __future__ import annotations

from collections.abc import Iterator

from kploy.core.bodies import entries, mapping, text
from kploy.model.objects import Body, Resource, group_of, version_of

_NAMESPACED = {
    ("", "ConfigMap"): "configmaps",
    ("", "Endpoints"): "endpoints",
    ("", "Event"): "events",
    ("", "LimitRange"): "limitranges",
    ("", "PersistentVolumeClaim"): "persistentvolumeclaims",
    ("", "Pod"): "pods",
    ("", "PodTemplate"): "podtemplates",
    ("", "ReplicationController"): "replicationcontrollers",
    ("", "ResourceQuota"): "resourcequotas",
    ("", "Secret"): "secrets",
    ("", "Service"): "services",
    ("", "ServiceAccount"): "serviceaccounts",
    ("apps", "ControllerRevision"): "controllerrevisions",
    ("apps", "DaemonSet"): "daemonsets",
    ("apps", "Deployment"): "deployments",
    ("apps", "ReplicaSet"): "replicasets",
    ("apps", "StatefulSet"): "statefulsets",
    ("autoscaling", "HorizontalPodAutoscaler"): "horizontalpodautoscalers",
    ("batch", "CronJob"): "cronjobs",
    ("batch", "Job"): "jobs",
    ("certificates.k8s.io", "PodCertificateRequest"): "podcertificaterequests",
    ("coordination.k8s.io", "Lease"): "leases",
    ("coordination.k8s.io", "LeaseCandidate"): "leasecandidates",
    ("discovery.k8s.io", "EndpointSlice"): "endpointslices",
    ("events.k8s.io", "Event"): "events",
    ("networking.k8s.io", "Ingress"): "ingresses",
    ("networking.k8s.io", "NetworkPolicy"): "networkpolicies",
    ("policy", "PodDisruptionBudget"): "poddisruptionbudgets",
    ("rbac.authorization.k8s.io", "Role"): "roles",
    ("rbac.authorization.k8s.io", "RoleBinding"): "rolebindings",
    ("resource.k8s.io", "ResourceClaim"): "resourceclaims",
    ("resource.k8s.io", "ResourceClaimTemplate"): "resourceclaimtemplates",
    ("scheduling.k8s.io", "CompositePodGroup"): "compositepodgroups",
    ("scheduling.k8s.io", "PodGroup"): "podgroups",
    ("scheduling.k8s.io", "Workload"): "workloads",
    ("storage.k8s.io", "CSIStorageCapacity"): "csistoragecapacities",
}

_CLUSTER_WIDE = {
    ("", "Namespace"): "namespaces",
    ("", "Node"): "nodes",
    ("", "PersistentVolume"): "persistentvolumes",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): "mutatingadmissionpolicies",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): "mutatingadmissionpolicybindings",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "mutatingwebhookconfigurations",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): "validatingadmissionpolicies",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): "validatingadmissionpolicybindings",
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "validatingwebhookconfigurations",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "customresourcedefinitions",
    ("apiregistration.k8s.io", "APIService"): "apiservices",
    ("certificates.k8s.io", "CertificateSigningRequest"): "certificatesigningrequests",
    ("certificates.k8s.io", "ClusterTrustBundle"): "clustertrustbundles",
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): "flowschemas",
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): "prioritylevelconfigurations",
    ("networking.k8s.io", "IPAddress"): "ipaddresses",
    ("networking.k8s.io", "IngressClass"): "ingressclasses",
    ("networking.k8s.io", "ServiceCIDR"): "servicecidrs",
    ("node.k8s.io", "RuntimeClass"): "runtimeclasses",
    ("rbac.authorization.k8s.io", "ClusterRole"): "clusterroles",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): "clusterrolebindings",
    ("resource.k8s.io", "DeviceClass"): "deviceclasses",
    ("resource.k8s.io", "DeviceTaintRule"): "devicetaintrules",
    ("resource.k8s.io", "ResourcePoolStatusRequest"): "resourcepoolstatusrequests",
    ("resource.k8s.io", "ResourceSlice"): "resourceslices",
    ("scheduling.k8s.io", "PriorityClass"): "priorityclasses",
    ("storage.k8s.io", "CSIDriver"): "csidrivers",
    ("storage.k8s.io", "CSINode"): "csinodes",
    ("storage.k8s.io", "StorageClass"): "storageclasses",
    ("storage.k8s.io", "VolumeAttachment"): "volumeattachments",
    ("storage.k8s.io", "VolumeAttributesClass"): "volumeattributesclasses",
    ("storagemigration.k8s.io", "StorageVersionMigration"): "storageversionmigrations",
}

GROUPS = frozenset(group for group, _ in (*_NAMESPACED, *_CLUSTER_WIDE))
"""The API groups that belong to Kubernetes itself; a kind of any other group is a custom resource."""

WORKLOADS = frozenset(
    {
        ("", "Pod"),
        ("", "ReplicationController"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
    }
)
"""Group and kind of everything that runs pods."""

CONTROLLERS = WORKLOADS - {("", "Pod"), ("batch", "CronJob"), ("batch", "Job")}
"""Those that keep pods running, and find theirs by a selector of their own. A Job gets one that is unique."""

ROLLED = CONTROLLERS - {("apps", "ReplicaSet")}
"""Those whose running pods get to a changed template: by Kubernetes, or a ReplicationController's by kploy."""

SCALED = CONTROLLERS - {("apps", "DaemonSet")}
"""Those that have a number of replicas; 1 where they do not say."""

ROUTES = frozenset(
    {
        ("", "Endpoints"),
        ("", "Service"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("networking.k8s.io", "Ingress"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GRPCRoute"),
        ("gateway.networking.k8s.io", "HTTPRoute"),
        ("gateway.networking.k8s.io", "TCPRoute"),
        ("gateway.networking.k8s.io", "TLSRoute"),
        ("gateway.networking.k8s.io", "UDPRoute"),
    }
)
"""Group and kind of everything by which pods, or what a Service without a selector stands for, are reached."""


def builtin(api_version: str, kind: str) -> Resource | None:
    """The resource of a kind of Kubernetes itself, or None for a custom or unknown one."""
    key = (group_of(api_version), kind)
    plural = _NAMESPACED.get(key) or _CLUSTER_WIDE.get(key)
    if plural is None:
        return None
    return Resource(key[0], version_of(api_version), kind, plural, namespaced=key in _NAMESPACED)


def own_resource(api_version: str, kind: str) -> Resource:
    """The resource of a kind that kploy itself asks for. Raises LookupError for one that is not in the table."""
    resource = builtin(api_version, kind)
    if resource is None:
        raise LookupError(f"{kind} of {api_version} is not in the table of kinds")
    return resource


def defined_by(body: Body) -> Iterator[Resource]:
    """The resources that a CustomResourceDefinition adds, one for each version; none for any other object."""
    if text(body, "kind") != "CustomResourceDefinition":
        return
    names = mapping(body, "spec", "names")
    for version in entries(body, "spec", "versions"):
        yield Resource(
            text(body, "spec", "group"),
            text(version, "name"),
            text(names, "kind"),
            text(names, "plural"),
            namespaced=text(body, "spec", "scope") != "Cluster",
        )
