// Writes names.json anew: what the reference implementation makes of the names in it.
//
//	go run . < <(jq -r 'keys[]' names.json) > new.json
package main

import (
	"bufio"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"os"

	"github.com/distribution/reference"
)

func main() {
	found := map[string][]string{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		text := lines.Text()
		named, err := reference.ParseDockerRef(text)
		if err != nil {
			found[text] = nil
			continue
		}
		named, _ = reference.ParseNormalizedNamed(text)
		parts := []string{reference.Domain(named), reference.Path(named), "", ""}
		if tagged, ok := named.(reference.Tagged); ok {
			parts[2] = tagged.Tag()
		}
		if digested, ok := named.(reference.Digested); ok {
			parts[3] = digested.Digest().String()
		}
		found[text] = parts
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(found); err != nil {
		panic(err)
	}
}
