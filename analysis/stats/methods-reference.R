#!/usr/bin/env Rscript
# SPDX-License-Identifier: Apache-2.0
# Writes, as JSON, what R and its package boot make of vectors: those in a CSV with the columns case, a, b, or, without one, the committed.
#
#   apt-get install r-base-core r-cran-boot
#   Rscript analysis/stats/methods-reference.R analysis/stats/vectors.csv > analysis/stats/reference-r.json
library(boot)

vectors <- read.csv(commandArgs(trailingOnly = TRUE)[1])
number <- function(x) ifelse(is.na(x), "null", sprintf("%.17g", x))
list_of <- function(x) paste0("[", paste(number(x), collapse = ","), "]")
member <- function(name, value) paste0('"', name, '":', value)

# Every assignment of signs, by brute force.
sign_flip <- function(x) {
  signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), length(x))))
  sums <- abs(signs %*% x)
  mean(sums >= abs(sum(x)) * (1 - 1e-12))
}

# Effect in standard errors at which a two-sided one-sample t test at 5 % has a power of 80 %.
detectable <- function(n) {
  power <- function(d) {
    critical <- qt(0.975, n - 1)
    pt(-critical, n - 1, d) + pt(critical, n - 1, d, lower.tail = FALSE)
  }
  uniroot(function(d) power(d) - 0.8, c(0, 60), tol = 1e-13)$root
}

cases <- sapply(unique(vectors$case), function(name) {
  own <- vectors[vectors$case == name, ]
  x <- log(own$a / own$b)
  set.seed(1)
  drawn <- boot(x, function(d, i) mean(d[i]), R = 100000)
  ends <- boot.ci(drawn, type = c("perc", "bca"))
  # boot counts resampled means that equal the estimate as not below it, SciPy and pMVX count half of them: no bca where there are many.
  bca <- if (mean(abs(drawn$t - drawn$t0) < 1e-9) > 0.03) c(NA, NA) else ends$bca[4:5]
  t95 <- t.test(x)
  t90 <- t.test(x, conf.level = 0.9)
  paste0("{", paste(c(
    member("title", paste0('"', name, '"')),
    member("ratio", number(exp(mean(x)))),
    member("interval", list_of(exp(t95$conf.int))),
    member("within", list_of(exp(t90$conf.int))),
    member("pT", number(t95$p.value)),
    member("welch", list_of(exp(t.test(log(own$a), log(own$b))$conf.int))),
    member("pWelch", number(t.test(log(own$a), log(own$b))$p.value)),
    member("p", number(if (length(x) <= 12) sign_flip(x) else NA)),
    member("percentile", list_of(ends$percent[4:5])),
    member("bca", list_of(bca)),
    member("mad", number(mad(x, constant = 1 / 0.6745))),
    member("median", number(median(own$a)))
  ), collapse = ","), "}")
})

p <- c(0.01, 0.04, 0.03, 0.005, 0.5, 0.04, 1, 0.0004, 0.2, 0.03)
x <- c(-37, -8.3, -3, -1.96, -0.5, -1e-3, 0, 0.1, 0.7, 1, 2.5, 4, 8)
q <- c(1e-300, 1e-12, 1e-4, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9999)
t <- c(0, 0.3, 1, 2.5, 12.7, 300)
n <- c(2, 3, 4, 5, 8, 10, 20, 50, 200)
cat(paste0("{", paste(c(
  member("made", paste0('"', R.version.string, ", boot ", packageVersion("boot"), '"')),
  member("cases", paste0("[", paste(cases, collapse = ","), "]")),
  member("adjust", paste0("{", member("p", list_of(p)), ",", member("holm", list_of(p.adjust(p, "holm"))), ",", member("bh", list_of(p.adjust(p, "BH"))), "}")),
  member("normal", paste0("{", member("x", list_of(x)), ",", member("cdf", list_of(pnorm(x))), ",", member("p", list_of(q)), ",", member("quantile", list_of(qnorm(q))), "}")),
  member("student", paste0("{", member("t", list_of(t)), ",", paste(sapply(c(1, 2, 4, 9, 49, 999), function(df) member(paste0("df", df), list_of(2 * pt(-t, df)))), collapse = ","), "}")),
  member("power", paste0("{", member("n", list_of(n)), ",", member("effect", list_of(sapply(n, detectable))), "}"))
), collapse = ","), "}\n"))
