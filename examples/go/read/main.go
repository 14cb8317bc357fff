// Keeps a copy of what Lapstream announces: `go run ./read copy.json [--once]`; --once ends where the topics end now.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/IBM/sarama"
)

const atOnce = 1000

func main() {
	file, once := os.Args[1], len(os.Args) > 2
	topics := strings.Split(env("LAPSTREAM_TOPICS", "practice-day-outcomes,refused-records"), ",")
	client, err := sarama.NewClient(strings.Split(os.Getenv("LAPSTREAM_KAFKA_BOOTSTRAP"), ","), config())
	check(err)
	kept := load(file)
	messages := make(chan *sarama.ConsumerMessage, atOnce)
	left := follow(client, topics, kept, messages, once)
	for !once || len(left) > 0 {
		kept.take(messages, left)
		kept.save(file)
	}
	fmt.Printf("%d days, %d refused records\n", len(kept.Days), len(kept.Refused))
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.ClientID = "outcomes-copy"
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	config.Consumer.Fetch.Max = 5_000_000
	return config
}

// Reads every partition from where the copy stands; returns where those end that have more, if it is to end there.
func follow(
	client sarama.Client, topics []string, kept *Copy, messages chan<- *sarama.ConsumerMessage, once bool,
) map[string]int64 {
	consumer, err := sarama.NewConsumerFromClient(client)
	check(err)
	left := map[string]int64{}
	for _, topic := range topics {
		partitions, err := client.Partitions(topic)
		check(err)
		for _, partition := range partitions {
			name := place(topic, partition)
			end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
			check(err)
			if kept.Offsets[name] < end {
				left[name] = end
			} else if once {
				continue
			}
			go forward(open(consumer, topic, partition, kept), messages)
		}
	}
	return left
}

func open(consumer sarama.Consumer, topic string, partition int32, kept *Copy) sarama.PartitionConsumer {
	offset, known := kept.Offsets[place(topic, partition)]
	if !known {
		offset = sarama.OffsetOldest
	}
	found, err := consumer.ConsumePartition(topic, partition, offset)
	if errors.Is(err, sarama.ErrOffsetOutOfRange) {
		log.Printf("%s/%d no longer has offset %d: read from its beginning", topic, partition, offset)
		found, err = consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
	}
	check(err)
	return found
}

func forward(partition sarama.PartitionConsumer, messages chan<- *sarama.ConsumerMessage) {
	for message := range partition.Messages() {
		messages <- message
	}
}

// Applies the next record, and those that have come meanwhile.
func (c *Copy) take(messages <-chan *sarama.ConsumerMessage, left map[string]int64) {
	for count := 0; count == 0 || count < atOnce && len(messages) > 0; count++ {
		message := <-messages
		c.apply(eventOf(message))
		name := place(message.Topic, message.Partition)
		c.Offsets[name] = message.Offset + 1
		if c.Offsets[name] >= left[name] {
			delete(left, name)
		}
	}
}

// Lapstream announces in binary mode: the attributes are headers, the value is the data.
func eventOf(message *sarama.ConsumerMessage) Event {
	event := Event{Data: message.Value}
	for _, header := range message.Headers {
		switch string(header.Key) {
		case "ce_id":
			event.ID = string(header.Value)
		case "ce_type":
			event.Type = string(header.Value)
		}
	}
	return event
}

func place(topic string, partition int32) string {
	return fmt.Sprintf("%s/%d", topic, partition)
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func check(err error) {
	if err != nil {
		log.Fatal("error: ", err)
	}
}
