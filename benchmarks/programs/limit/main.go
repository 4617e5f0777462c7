// Limit applies every manifest below a directory and waits until all is ready, and does nothing else.
//
// It is what a deploy cannot do without: one server-side apply an object from 16 goroutines,
// and two watches. No checks, no order, no inventory, no discovery, no rate limit. What other
// programs take is told as a multiple of what it takes.
//
// Ready means: every Deployment has all its pods of the applied generation ready, and every
// Service has an endpoint.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

const workers = 16

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	slices      = schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}
)

var resources = map[string]schema.GroupVersionResource{
	"ServiceAccount": {Version: "v1", Resource: "serviceaccounts"},
	"ConfigMap":      {Version: "v1", Resource: "configmaps"},
	"Secret":         {Version: "v1", Resource: "secrets"},
	"Service":        {Version: "v1", Resource: "services"},
	"Deployment":     deployments,
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the kubeconfig file")
	namespace := flag.String("namespace", "", "where to deploy to; it must be there")
	flag.Parse()
	if err := deploy(*kubeconfig, *namespace, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		os.Exit(1)
	}
}

func deploy(kubeconfig, namespace, directory string) error {
	client, err := connect(kubeconfig)
	if err != nil {
		return err
	}
	objects, err := read(directory)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, err := observe(ctx, client, namespace)
	if err != nil {
		return err
	}
	return await(len(objects), events, apply(ctx, client, namespace, objects))
}

func connect(kubeconfig string) (dynamic.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return dynamic.NewForConfig(config)
}

func read(directory string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
		for {
			object := &unstructured.Unstructured{}
			if err := decoder.Decode(object); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			objects = append(objects, object)
		}
	})
	return objects, err
}

// An answer is what became of one apply.
type answer struct {
	object *unstructured.Unstructured
	err    error
}

// Apply sends all objects, and an answer for each.
func apply(ctx context.Context, client dynamic.Interface, namespace string, objects []*unstructured.Unstructured) <-chan answer {
	todo := make(chan *unstructured.Unstructured, len(objects))
	for _, object := range objects {
		todo <- object
	}
	close(todo)
	answers := make(chan answer, len(objects))
	for range workers {
		go func() {
			for object := range todo {
				applied, err := applyOne(ctx, client, namespace, object)
				answers <- answer{applied, err}
			}
		}()
	}
	return answers
}

func applyOne(ctx context.Context, client dynamic.Interface, namespace string, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, known := resources[object.GetKind()]
	if !known {
		return nil, fmt.Errorf("%s %s: a kind that is not in the table", object.GetKind(), object.GetName())
	}
	body, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	options := v1.PatchOptions{FieldManager: "limit"}
	return client.Resource(resource).Namespace(namespace).Patch(ctx, object.GetName(), types.ApplyPatchType, body, options)
}

// Observe sends what there is of Deployments and EndpointSlices, and whatever changes.
func observe(ctx context.Context, client dynamic.Interface, namespace string) (<-chan watch.Event, error) {
	events := make(chan watch.Event)
	for _, resource := range []schema.GroupVersionResource{deployments, slices} {
		watcher, err := client.Resource(resource).Namespace(namespace).Watch(ctx, v1.ListOptions{})
		if err != nil {
			return nil, err
		}
		go func() {
			for event := range watcher.ResultChan() {
				events <- event
			}
			if ctx.Err() == nil {
				events <- watch.Event{Type: watch.Error, Object: &v1.Status{Message: "a watch has ended"}}
			}
		}()
	}
	return events, nil
}

// Await returns when everything is applied and ready.
func await(unanswered int, events <-chan watch.Event, answers <-chan answer) error {
	rollout := rollout{wanted: map[string]int64{}, there: map[string]int64{}, waiting: map[string]bool{}}
	for unanswered > 0 || len(rollout.waiting) > 0 {
		select {
		case answer := <-answers:
			if answer.err != nil {
				return answer.err
			}
			unanswered--
			rollout.applied(answer.object)
		case event := <-events:
			object, is := event.Object.(*unstructured.Unstructured)
			if !is || event.Type == watch.Error {
				return fmt.Errorf("watch: %v", event.Object)
			}
			rollout.seen(object)
		}
	}
	return nil
}

// A rollout is which generation of each Deployment is wanted, and which is there; of a Service, whether
// (1 or 0) it has an endpoint. What is behind is waited for.
type rollout struct {
	wanted, there map[string]int64
	waiting       map[string]bool
}

func (r *rollout) applied(object *unstructured.Unstructured) {
	switch key := object.GetKind() + "/" + object.GetName(); object.GetKind() {
	case "Deployment":
		r.wanted[key] = object.GetGeneration()
		r.settle(key)
	case "Service":
		r.wanted[key] = 1
		r.settle(key)
	}
}

func (r *rollout) seen(object *unstructured.Unstructured) {
	if object.GetKind() == "Deployment" {
		key := "Deployment/" + object.GetName()
		r.there[key] = readyGeneration(object)
		r.settle(key)
	} else if hasEndpoint(object) {
		key := "Service/" + object.GetLabels()["kubernetes.io/service-name"]
		r.there[key] = 1
		r.settle(key)
	}
}

func (r *rollout) settle(key string) {
	if r.there[key] < r.wanted[key] {
		r.waiting[key] = true
	} else {
		delete(r.waiting, key)
	}
}

// ReadyGeneration is the generation of a Deployment whose pods are all there and ready; 0 if they are not.
func readyGeneration(object *unstructured.Unstructured) int64 {
	observed := number(object, "status", "observedGeneration")
	replicas := number(object, "spec", "replicas")
	if observed < object.GetGeneration() {
		return 0
	}
	for _, count := range []string{"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"} {
		if number(object, "status", count) != replicas {
			return 0
		}
	}
	return observed
}

func number(object *unstructured.Unstructured, fields ...string) int64 {
	found, _, _ := unstructured.NestedInt64(object.Object, fields...)
	return found
}

func hasEndpoint(object *unstructured.Unstructured) bool {
	endpoints, _, _ := unstructured.NestedSlice(object.Object, "endpoints")
	for _, endpoint := range endpoints {
		fields, _ := endpoint.(map[string]any)
		if ready, _, _ := unstructured.NestedBool(fields, "conditions", "ready"); ready {
			return true
		}
	}
	return false
}
