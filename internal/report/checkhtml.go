package report

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"breakfix/internal/check"
)

// ElementsVersion is the version of the npm package mutation-testing-elements
// whose bundle is in elements/.
const ElementsVersion = "3.9.0"

//go:embed elements/mutation-test-elements.js
var elements string

//go:embed check.html
var checkPageText string

var checkPage = template.Must(template.New("check").Funcs(template.FuncMap{"v": Visible}).Parse(checkPageText))

// mostShown is how many missed mutations the head of the page lists.
const mostShown = 200

// checkPageData is what stands above the component.
type checkPageData struct {
	Sum    check.Summary
	Facts  []fact
	Missed []missedRow
	More   int // missed ones that are not listed
}

type missedRow struct {
	check.Listed
	Anchor string // of its file in the component
	Lines  []diffLine
	Runs   []string // tests that run it
	Left   int      // of them: not named
}

// CheckHTML writes a check as one page that needs nothing else: what was
// missed, most important first, and the published component of
// mutation-testing-elements with the report that CheckJSON writes.
func CheckHTML(w io.Writer, r *check.Record, version string) error {
	s, err := r.Summary()
	if err != nil {
		return err
	}
	d := checkPageData{Sum: s, Facts: checkFacts(s)}
	results, base := map[string]check.Result{}, commonFolder(keys(r.Plan.Files))
	for _, one := range r.Results {
		results[one.Mutation.ID] = one
	}
	for i, l := range s.MissedList {
		if i == mostShown {
			d.More = len(s.MissedList) - mostShown
			break
		}
		row := missedRowOf(l, r.Plan.Names(results[l.ID].Covering))
		row.Anchor = strings.TrimPrefix(l.Path, base)
		d.Missed = append(d.Missed, row)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	if err := checkPage.Execute(out, d); err != nil {
		return fmt.Errorf("write the page of a check: %w", err)
	}
	// The bundle holds neither <script nor </script, and CheckJSON escapes every <.
	fmt.Fprintf(out, "<script>%s</script>\n<script id=\"report\" type=\"application/json\">", elements)
	if err := CheckJSON(out, r, version); err != nil {
		return err
	}
	fmt.Fprint(out, checkPageEnd)
	return out.Flush()
}

const checkPageEnd = `</script>
<script>
const app = document.querySelector("mutation-test-report-app");
app.report = JSON.parse(document.getElementById("report").textContent);
const theme = () => { document.body.style.backgroundColor = app.themeBackgroundColor; };
app.addEventListener("theme-changed", theme);
theme();
addEventListener("hashchange", () => app.scrollIntoView());
</script>
</html>
`

// commonFolder is the folder, with a slash, that all files lie in: the component
// leaves it out of its addresses.
func commonFolder(files []string) string {
	if len(files) == 0 {
		return ""
	}
	common := files[0][:strings.LastIndexByte(files[0], '/')+1]
	for _, f := range files[1:] {
		for !strings.HasPrefix(f, common) {
			common = common[:strings.LastIndexByte(strings.TrimSuffix(common, "/"), '/')+1]
		}
	}
	return common
}

func missedRowOf(l check.Listed, tests []string) missedRow {
	const most = 50
	row := missedRow{Listed: l, Runs: tests}
	if len(tests) > most {
		row.Runs, row.Left = tests[:most], len(tests)-most
	}
	row.Lines = diffLines(l.Diff)
	return row
}

// diffLines classes the lines of a diff, without the names of its files.
func diffLines(diff string) []diffLine {
	var lines []diffLine
	inside := false
	for _, text := range strings.Split(strings.TrimRight(diff, "\n"), "\n") {
		l := diffLine{Text: text}
		switch {
		case strings.HasPrefix(text, "@@"):
			inside = true
		case strings.HasPrefix(text, "+"):
			l.Class = "add"
		case strings.HasPrefix(text, "-"):
			l.Class = "del"
		}
		if inside {
			lines = append(lines, l)
		}
	}
	return lines
}

func checkFacts(s check.Summary) []fact {
	score := "none"
	if s.Score != nil {
		score = Score(*s.Score)
	}
	judged := fmt.Sprintf("%d of %d", s.Judged, s.Chosen)
	fs := []fact{
		{"judged", judged, string(s.Ended)},
		{"score", score, fmt.Sprintf("%d of %d that tests run", s.Caught+s.TimedOut, s.Caught+s.TimedOut+s.Missed)},
	}
	for _, c := range append(checkCounts(s.Counts), count{"ignored", s.Ignored}) {
		if c.n > 0 {
			fs = append(fs, fact{c.name, fmt.Sprint(c.n), ""})
		}
	}
	return fs
}
