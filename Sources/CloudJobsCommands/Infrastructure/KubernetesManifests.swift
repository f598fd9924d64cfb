/// The manifests of workers on Kubernetes over PostgreSQL: pure.
struct KubernetesManifests {
  /// What changes the number of workers.
  enum Scaling: String, CaseIterable {
    /// Nothing: there are as many as the deployment says.
    case none
    /// A HorizontalPodAutoscaler on an external metric, which an adapter for Prometheus serves.
    case hpa
    /// A ScaledObject of KEDA, which asks Prometheus.
    case keda
  }

  /// The port that a container listens at.
  static let port = 8_080
  /// The time that attempts have to end after SIGTERM, and that after which the process exits, in seconds.
  ///
  /// The kubelet sends SIGKILL after the grace period, which is longer.
  static let (drainLimit, exitLimit, gracePeriod) = (40, 50, 60)
  /// The waiting runs for each of which there is a worker: the attempts that it makes at once.
  static let runsOfWorker = 64

  /// The name of all objects.
  let service: String
  /// The image with the program.
  let image: String
  /// What changes the number of workers.
  var scaling = Scaling.none
  /// The number of workers, or the least of them.
  var replicas = 2
  /// The largest number of workers.
  var maxReplicas = 20
  /// Whether Prometheus finds the workers by a PodMonitor.
  var isMonitored = false

  /// The manifests as a stream of documents.
  var text: String {
    let head = """
      # Workers of swift-cloud-jobs over PostgreSQL.
      # Made by `infra --format kubernetes`. The secret is not in it:
      #   kubectl create secret generic \(service) --from-literal=store=postgres://… \\
      #     --from-literal=secret="$(openssl rand -hex 32)"

      """
    return head + YAML.stream(documents)
  }

  /// The documents.
  var documents: [YAML] {
    var documents = [account, networkPolicy, disruptionBudget, endpoints, deployment]
    switch scaling {
    case .none: break
    case .hpa: documents.append(autoscaler)
    case .keda: documents.append(scaledObject)
    }
    return documents + (isMonitored ? [podMonitor] : [])
  }

  // MARK: Documents

  private var labels: YAML { ["app.kubernetes.io/name": .text(service)] }
  private var metadata: YAML { ["name": .text(service), "labels": labels] }
  private var selector: YAML { ["matchLabels": labels] }

  private var account: YAML {
    [
      "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata,
      "#": "Jobs don't call Kubernetes.",
      "automountServiceAccountToken": false,
    ]
  }

  private var networkPolicy: YAML {
    [
      "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata,
      "spec": [
        "podSelector": selector, "policyTypes": ["Ingress", "Egress"],
        "ingress": [
          [
            "#": "Callers in this namespace, and Prometheus. The kubelet's probes are always admitted.",
            "from": [
              ["podSelector": [:]],
              ["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "monitoring"]]],
            ],
            "ports": [["port": "http"]],
          ]
        ],
        "egress": [
          ["#": "Names.", "ports": [["port": 53, "protocol": "UDP"], ["port": 53, "protocol": "TCP"]]],
          [
            "#": "The database, and what handlers call over HTTPS: add other ports.",
            "ports": [["port": 5432], ["port": 443]],
          ],
        ],
      ],
    ]
  }

  private var disruptionBudget: YAML {
    [
      "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata,
      "spec": ["maxUnavailable": 1, "selector": selector],
    ]
  }

  private var endpoints: YAML {
    [
      "apiVersion": "v1", "kind": "Service", "metadata": metadata,
      "spec": ["selector": labels, "ports": [["name": "http", "port": 80, "targetPort": "http"]]],
    ]
  }

  private var deployment: YAML {
    var spec: [(key: String, value: YAML)] = []
    // An autoscaler owns the number of replicas.
    if scaling == .none { spec.append(("replicas", .number(replicas))) }
    spec += [
      ("selector", selector),
      ("strategy", ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0]]),
      (
        "template",
        [
          "metadata": ["labels": labels],
          "spec": [
            "serviceAccountName": .text(service), "automountServiceAccountToken": false,
            "#": "Above the time after which the process exits in any case.",
            "terminationGracePeriodSeconds": .number(Self.gracePeriod),
            "securityContext": [
              "runAsNonRoot": true, "runAsUser": .number(ImageRecipe.user), "runAsGroup": .number(ImageRecipe.user),
              "fsGroup": .number(ImageRecipe.user), "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "topologySpreadConstraints": [
              [
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": selector,
              ]
            ],
            "containers": [container],
            "volumes": [["name": "tmp", "emptyDir": ["sizeLimit": "64Mi"]]],
          ],
        ]
      ),
    ]
    return ["apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": .map(spec)]
  }

  private var container: YAML {
    func secret(_ key: String) -> YAML { ["secretKeyRef": ["name": .text(service), "key": .text(key)]] }
    func probe(_ name: String, period: Int, failures: Int) -> YAML {
      [
        "httpGet": ["path": .text("\(JobCommand.mountPath)/health/\(name)"), "port": "http"],
        "periodSeconds": .number(period), "timeoutSeconds": 2, "failureThreshold": .number(failures),
      ]
    }
    return [
      "name": "worker", "image": .text(image), "args": ["serve"],
      "env": [
        ["name": "CLOUD_JOBS_STORE", "valueFrom": secret("store")],
        [
          "#": "With a secret it listens at all addresses.", "name": "CLOUD_JOBS_SERVER_SECRET",
          "valueFrom": secret("secret"),
        ],
        ["name": "CLOUD_JOBS_WORKER_NAME", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
        ["name": "CLOUD_JOBS_SERVER_DRAIN_LIMIT", "value": "\(Self.drainLimit)s"],
        ["name": "CLOUD_JOBS_SERVER_EXIT_LIMIT", "value": "\(Self.exitLimit)s"],
        ["name": "PORT", "value": "\(Self.port)"],
      ],
      "ports": [["name": "http", "containerPort": .number(Self.port)]],
      "resources": ["requests": ["cpu": "250m", "memory": "256Mi"], "limits": ["memory": "512Mi"]],
      "startupProbe": probe("started", period: 2, failures: 60),
      "readinessProbe": probe("ready", period: 5, failures: 2),
      "livenessProbe": probe("live", period: 10, failures: 3),
      "securityContext": [
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
      ],
      "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
    ]
  }

  private var autoscaler: YAML {
    [
      "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata,
      "spec": [
        "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": .text(service)],
        "minReplicas": .number(replicas), "maxReplicas": .number(maxReplicas),
        "metrics": [
          [
            "type": "External",
            "external": [
              "#": """
              An adapter for Prometheus serves it as the rule
              \(depth)
              says.
              """,
              "metric": ["name": "cloud_jobs_queue_depth"],
              "target": ["type": "AverageValue", "averageValue": .text("\(Self.runsOfWorker)")],
            ],
          ]
        ],
        "behavior": ["scaleDown": ["stabilizationWindowSeconds": 300]],
      ],
    ]
  }

  private var scaledObject: YAML {
    [
      "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata,
      "spec": [
        "scaleTargetRef": ["name": .text(service)],
        "#": "Not zero: schedules need a worker.",
        "minReplicaCount": .number(max(1, replicas)), "maxReplicaCount": .number(maxReplicas),
        "pollingInterval": 15, "cooldownPeriod": 300,
        "fallback": ["failureThreshold": 4, "replicas": .number(replicas)],
        "triggers": [
          [
            "type": "prometheus", "metricType": "AverageValue",
            "metadata": [
              "serverAddress": "http://prometheus-operated.monitoring.svc:9090", "query": .text(depth),
              "threshold": .text("\(Self.runsOfWorker)"),
            ],
          ]
        ],
      ],
    ]
  }

  /// The query for the runs that wait or are being executed.
  ///
  /// Each worker reports the same figures of the store.
  private var depth: String {
    "sum(max by (queue, status) (cloud_jobs_queue_depth{app_kubernetes_io_name=\"\(service)\", "
      + "status=~\"pending|running\"}))"
  }

  private var podMonitor: YAML {
    [
      "apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": metadata,
      "spec": [
        "selector": selector, "podTargetLabels": ["app.kubernetes.io/name"],
        "podMetricsEndpoints": [
          [
            "port": "http", "path": .text("\(JobCommand.mountPath)/metrics"), "interval": "15s",
            "authorization": ["type": "Bearer", "credentials": ["name": .text(service), "key": "secret"]],
          ]
        ],
      ],
    ]
  }
}
