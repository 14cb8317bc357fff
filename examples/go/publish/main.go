// Publishes a practice day of a timing system of its own: `go run ./publish ../practice.json`.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/IBM/sarama"
)

const (
	source    = "club-timer"                       // the timing service: yours, and no other's
	publisher = "https://timing.example/decoder-1" // the program or machine that says so
)

// Practice is a day as the timing system has it.
type Practice struct {
	Track    string `json:"track"`
	Date     string `json:"date"`
	Seen     string `json:"seen"`
	Sessions []struct {
		ID          string    `json:"id"`
		Driver      string    `json:"driver"`
		Class       string    `json:"class"`
		Transponder string    `json:"transponder"`
		Start       string    `json:"start"`
		Laps        []float64 `json:"laps"`
	} `json:"sessions"`
}

// Observed is what every observation says of itself.
type Observed struct {
	Source        string `json:"source"`
	TrackSlug     string `json:"track_slug"`
	Date          string `json:"date"`
	ObservedAt    string `json:"observed_at"`
	ParserVersion int    `json:"parser_version"`
}

// Session is a session in its day's list; what is not known is left out.
type Session struct {
	SessionID         string   `json:"session_id"`
	DriverName        string   `json:"driver_name,omitempty"`
	ClassName         string   `json:"class_name,omitempty"`
	TransponderNumber string   `json:"transponder_number,omitempty"`
	StartTime         string   `json:"start_time,omitempty"`
	LapCount          int      `json:"lap_count"`
	FastestLap        *float64 `json:"fastest_lap,omitempty"`
}

// Listed is practice_day.listed.v1.
type Listed struct {
	Observed
	Complete bool      `json:"complete"`
	Sessions []Session `json:"sessions"`
}

// Fetched is session_detail.fetched.v2.
type Fetched struct {
	Observed
	Session
	Laps []Lap `json:"laps"`
}

// Lap is one lap of a session.
type Lap struct {
	LapNumber      int     `json:"lap_number"`
	LapTimeRaw     string  `json:"lap_time_raw"`
	LapTimeSeconds float64 `json:"lap_time_seconds"`
}

func main() {
	topic := env("LAPSTREAM_TOPIC", "club-days")
	records := recordsOf(read(os.Args[1]), topic)
	producer, err := sarama.NewSyncProducer(strings.Split(os.Getenv("LAPSTREAM_KAFKA_BOOTSTRAP"), ","), config())
	check(err)
	check(producer.SendMessages(records))
	check(producer.Close())
	fmt.Printf("%d events published to %s\n", len(records), topic)
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.ClientID = source
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Compression = sarama.CompressionGZIP
	config.Producer.MaxMessageBytes = 4_259_840
	config.Producer.Return.Successes = true
	return config
}

func recordsOf(practice Practice, topic string) []*sarama.ProducerMessage {
	key := fmt.Sprintf("%s/%s/%s", source, practice.Track, practice.Date)
	observed := Observed{source, practice.Track, practice.Date, practice.Seen, 1}
	list := Listed{Observed: observed, Complete: true}
	var details []*sarama.ProducerMessage
	for _, one := range practice.Sessions {
		session := Session{one.ID, one.Driver, one.Class, one.Transponder, one.Start, len(one.Laps), fastest(one.Laps)}
		list.Sessions = append(list.Sessions, session)
		fetched := Fetched{observed, session, lapsOf(one.Laps)}
		details = append(details, record(topic, key, "session_detail.fetched.v2", key+"/"+one.ID, practice.Seen, fetched))
	}
	return append(details, record(topic, key, "practice_day.listed.v1", key, practice.Seen, list))
}

// A CloudEvent in binary mode: attributes in the headers, data in the value. The same event has the same id.
func record(topic, key, kind, subject, seen string, data any) *sarama.ProducerMessage {
	value, err := json.Marshal(data)
	check(err)
	headers := [][2]string{
		{"ce_specversion", "1.0"},
		{"ce_id", kind + "/" + subject + "/" + seen},
		{"ce_type", kind},
		{"ce_source", publisher},
		{"content-type", "application/json"},
	}
	found := sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(key), Value: sarama.ByteEncoder(value)}
	for _, header := range headers {
		found.Headers = append(found.Headers, sarama.RecordHeader{Key: []byte(header[0]), Value: []byte(header[1])})
	}
	return &found
}

func fastest(laps []float64) *float64 {
	if len(laps) == 0 {
		return nil
	}
	least := slices.Min(laps)
	return &least
}

func lapsOf(times []float64) []Lap {
	laps := []Lap{}
	for number, seconds := range times {
		laps = append(laps, Lap{number + 1, fmt.Sprint(seconds), seconds})
	}
	return laps
}

func read(file string) (practice Practice) {
	data, err := os.ReadFile(file)
	check(err)
	check(json.Unmarshal(data, &practice))
	return practice
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
