// Go's SDK with its Kafka binding: `write` turns events into records, `read` turns records into events.
// In and out: JSON Lines. An event is in CloudEvents' JSON format, a record is {name, key, headers, value}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"
	"sort"

	"github.com/IBM/sarama"
	"github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
)

type record struct {
	Name    string      `json:"name"`
	Key     *string     `json:"key"`
	Headers [][2]string `json:"headers"`
	Value   string      `json:"value"`
}

type seen struct {
	Name          string          `json:"name"`
	ID            string          `json:"id"`
	Type          string          `json:"type"`
	Source        string          `json:"source"`
	Time          string          `json:"time"`
	Data          json.RawMessage `json:"data"`
	CorrelationID any             `json:"correlationid"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var found []any
		if os.Args[1] == "write" {
			found = written(lines.Bytes())
		} else {
			found = []any{read(lines.Bytes())}
		}
		for _, one := range found {
			check(out.Encode(one))
		}
	}
	check(lines.Err())
}

func written(line []byte) []any {
	var plain event.Event
	check(json.Unmarshal(line, &plain))
	charset := plain.Clone()
	charset.SetSubject("a subject")
	charset.SetExtension("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	charset.SetExtension("lane", 3)
	charset.SetExtension("wet", false)
	charset.SetExtension("partitionkey", "a-key")
	charset.SetDataContentType("application/json; charset=utf-8")
	bytes := plain.Clone()
	check(bytes.SetData("application/json", plain.Data()))
	bytes.DataBase64 = true
	binary := binding.WithForceBinary(context.Background())
	structured := binding.WithForceStructured(context.Background())
	return []any{
		message(binary, plain, plain.Type()+" binary"),
		message(binary, charset, plain.Type()+" binary, more attributes"),
		message(structured, charset, plain.Type()+" structured"),
		message(structured, bytes, plain.Type()+" structured, base64"),
	}
}

func message(ctx context.Context, of event.Event, name string) record {
	var found sarama.ProducerMessage
	check(kafka_sarama.WriteProducerMessage(ctx, binding.ToMessage(&of), &found))
	value, err := found.Value.Encode()
	check(err)
	one := record{Name: name, Value: string(value)}
	if found.Key != nil {
		key, err := found.Key.Encode()
		check(err)
		text := string(key)
		one.Key = &text
	}
	for _, header := range found.Headers {
		one.Headers = append(one.Headers, [2]string{string(header.Key), string(header.Value)})
	}
	sort.Slice(one.Headers, func(i, j int) bool { return one.Headers[i][0] < one.Headers[j][0] })
	return one
}

func read(line []byte) seen {
	var one record
	check(json.Unmarshal(line, &one))
	consumed := sarama.ConsumerMessage{Value: []byte(one.Value)}
	for _, header := range one.Headers {
		pair := sarama.RecordHeader{Key: []byte(header[0]), Value: []byte(header[1])}
		consumed.Headers = append(consumed.Headers, &pair)
	}
	found, err := binding.ToEvent(context.Background(), kafka_sarama.NewMessageFromConsumerMessage(&consumed))
	check(err)
	return seen{
		one.Name, found.ID(), found.Type(), found.Source(), found.Time().String(), found.Data(),
		found.Extensions()["correlationid"],
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
