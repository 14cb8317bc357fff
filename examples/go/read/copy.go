package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Copy is what was announced of each day, which records were refused, and how far each partition was read.
// All of it is one file, which is replaced whole: so the copy and its offsets never disagree.
type Copy struct {
	Offsets map[string]int64           `json:"offsets"`
	Days    map[string]*Day            `json:"days"`
	Refused map[string]json.RawMessage `json:"refused"`
}

// Day is the sessions and laps of a day, its last run, and the ids of the events that say so.
type Day struct {
	Sessions []string        `json:"sessions"`
	Laps     int             `json:"laps"`
	Run      json.RawMessage `json:"run"`
	Applied  []string        `json:"applied"`
}

// Event is an outcome as it was read.
type Event struct {
	ID, Type string
	Data     []byte
}

func load(file string) *Copy {
	found := &Copy{map[string]int64{}, map[string]*Day{}, map[string]json.RawMessage{}}
	data, err := os.ReadFile(file)
	if !os.IsNotExist(err) {
		check(err)
		check(json.Unmarshal(data, found))
	}
	return found
}

func (c *Copy) save(file string) {
	data, err := json.MarshalIndent(c, "", " ")
	check(err)
	written, err := os.Create(file + ".new")
	check(err)
	_, err = written.Write(data)
	check(err)
	check(written.Sync())
	check(written.Close())
	check(os.Rename(file+".new", file))
}

func (c *Copy) apply(event Event) {
	switch event.Type {
	case "record.refused.v1":
		var place struct {
			Topic     string `json:"topic"`
			Partition int32  `json:"partition"`
			Offset    int64  `json:"offset"`
		}
		check(json.Unmarshal(event.Data, &place))
		c.Refused[fmt.Sprintf("%s/%d/%d", place.Topic, place.Partition, place.Offset)] = event.Data
	case "practice_day.changed.v1", "practice_day.ingested.v1":
		day := c.day(event.Data)
		if slices.Contains(day.Applied, event.ID) {
			return // a repeated event: it may come at any later time
		}
		if event.Type == "practice_day.changed.v1" {
			day.change(event.Data)
		} else {
			day.Run = event.Data
		}
		day.Applied = append(day.Applied, event.ID)
	} // a type that is not known is ignored
}

func (c *Copy) day(data []byte) *Day {
	var key struct {
		Source    string `json:"source"`
		TrackSlug string `json:"track_slug"`
		Date      string `json:"date"`
	}
	check(json.Unmarshal(data, &key))
	name := key.Source + "/" + key.TrackSlug + "/" + key.Date
	if c.Days[name] == nil {
		c.Days[name] = &Day{}
	}
	return c.Days[name]
}

func (day *Day) change(data []byte) {
	var change struct {
		Added     []string `json:"sessions_added"`
		Gone      []string `json:"sessions_gone"`
		LapsAdded int      `json:"laps_added"`
		LapsGone  int      `json:"laps_gone"`
	}
	check(json.Unmarshal(data, &change))
	kept := slices.DeleteFunc(day.Sessions, func(id string) bool { return slices.Contains(change.Gone, id) })
	day.Sessions = append(kept, change.Added...)
	slices.Sort(day.Sessions)
	day.Sessions = slices.Compact(day.Sessions)
	day.Laps += change.LapsAdded - change.LapsGone
}
