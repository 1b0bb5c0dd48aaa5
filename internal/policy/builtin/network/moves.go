package network

// filling names the fillers of a move by their rows.
type filling struct{ old, new int32 }

// moves scores moves. With site s, action a, Old o, New n and facts f of a
// move, all vectors of 64,
//
//	score = place[s, a]
//	      + n.is · (s.want⊙(1 + a.gate) + a.want + o.pair)
//	      + out · max(0, s.meet + a.meet + n.in + o.out + f·F)
//
// so that what is dear is done once a site, an action and a filler, and a move
// costs a few sums over 64 numbers.
func (t *tape[T]) moves(moves []Move, fillings []filling, s placed[T], f filled[T]) mat[T] {
	y, meet := t.new(len(moves), 1), t.new(len(moves), vector)
	facts := t.constant(len(moves), MoveFacts)
	for i := range moves {
		widen(facts.row(i), moves[i].Facts[:])
	}
	t.times(meet, facts, t.param(weights.fact))
	a := acting[T]{t.param(weights.actionMeet), t.param(weights.actionGate), t.param(weights.actionWant)}
	out := t.param(weights.out)
	want := t.take(vector)
	for i := range moves {
		m, k := &moves[i], fillings[i]
		site, action := int(m.Site), int(m.Action)
		a.want(want, site, action, int(k.old), s, f)
		sum := s.score.row(site)[action] + dot(f.is.row(int(k.new)), want)
		sum += join(meet.row(i), s.meet.row(site), a.meets.row(action), f.in.row(int(k.new)), f.out.row(int(k.old)), out.v)
		y.v[i] = sum
	}
	t.later(func() {
		step := t.take(vector)
		for i := range moves {
			m, k, d := &moves[i], fillings[i], y.g[i]
			if d == 0 {
				continue
			}
			site, action, from, to := int(m.Site), int(m.Action), int(k.old), int(k.new)
			s.score.grad(site)[action] += d
			a.want(want, site, action, from, s, f)
			axpy(d, want, f.is.grad(to))
			clear(step)
			axpy(d, f.is.row(to), step)
			axpy(1, step, s.want.grad(site))
			weigh(step, a.gates.row(action), s.want.grad(site))
			weigh(step, s.want.row(site), a.gates.grad(action))
			axpy(1, step, a.wants.grad(action))
			axpy(1, step, f.pair.grad(from))

			h, dh := meet.row(i), meet.grad(i)
			axpy(d, h, out.g)
			for j, v := range h {
				if v > 0 {
					dh[j] = d * out.v[j]
				}
			}
			axpy(1, dh, s.meet.grad(site))
			axpy(1, dh, a.meets.grad(action))
			axpy(1, dh, f.in.grad(to))
			axpy(1, dh, f.out.grad(from))
		}
	})
	return y
}

// acting is the weights of the actions.
type acting[T real] struct{ meets, gates, wants mat[T] }

// want writes which filler a site, an action and what is taken out ask for.
func (a acting[T]) want(to []T, site, action, old int, s placed[T], f filled[T]) {
	w, g, b, p := s.want.row(site)[:vector], a.gates.row(action)[:vector], a.wants.row(action)[:vector], f.pair.row(old)[:vector]
	to = to[:vector]
	for j := range to {
		to[j] = w[j]*(1+g[j]) + b[j] + p[j]
	}
}

// join adds four vectors to y, takes away what is below zero, and weighs it.
func join[T real](y, a, b, c, d, weight []T) T {
	y, a, b, c, d, weight = y[:vector], a[:vector], b[:vector], c[:vector], d[:vector], weight[:vector]
	sum := T(0)
	for j := range y {
		v := max(y[j]+a[j]+b[j]+c[j]+d[j], 0)
		y[j] = v
		sum += v * weight[j]
	}
	return sum
}
