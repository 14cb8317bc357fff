// The schemas under santhosh-tekuri/jsonschema: `validate FOLDER` reads vectors and says which it accepts.
// In: JSON Lines {name, checks: [{schema, instance}]}. Out: JSON Lines {name, accepted, errors}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log"
	"os"
	"path/filepath"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type vector struct {
	Name   string `json:"name"`
	Checks []struct {
		Schema   string          `json:"schema"`
		Instance json.RawMessage `json:"instance"`
	} `json:"checks"`
}

type verdict struct {
	Name     string   `json:"name"`
	Accepted bool     `json:"accepted"`
	Errors   []string `json:"errors"`
}

func main() {
	schemas := loaded(os.Args[1])
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var one vector
		check(json.Unmarshal(lines.Bytes(), &one))
		found := verdict{Name: one.Name, Accepted: true}
		for _, asked := range one.Checks {
			instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asked.Instance))
			check(err)
			if err := schemas[asked.Schema].Validate(instance); err != nil {
				found.Accepted = false
				found.Errors = append(found.Errors, err.Error())
			}
		}
		check(out.Encode(found))
	}
	check(lines.Err())
}

func loaded(folder string) map[string]*jsonschema.Schema {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	check(err)
	found := map[string]*jsonschema.Schema{}
	for _, file := range files {
		name := filepath.Base(file)
		schema, err := jsonschema.NewCompiler().Compile(file)
		check(err)
		found[name[:len(name)-len(".json")]] = schema
	}
	return found
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
